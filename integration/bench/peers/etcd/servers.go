package etcd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	members = 3

	// tries is how often members are started when other programs take their ports.
	tries = 3

	// endLimit bounds how long a member takes to end by itself.
	endLimit = 10 * time.Second

	program = "github.com/zookit/zookit/integration/bench/etcdmember"
)

// NewServers builds the program of a member, starts a cluster of three with their data below dir, and returns when all of them
// serve. Closing ends them and removes their data; they also end with this process. The context bounds the start only.
func NewServers(ctx context.Context, dir string) (servers string, stop io.Closer, err error) {
	binary := filepath.Join(dir, "etcdmember")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, program).CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("building etcd's member, in a folder of the repository: %w\n%s", err, out)
	}
	for try := 1; ; try++ {
		servers, c, err := start(ctx, binary, dir)
		if err == nil {
			return servers, c, nil
		}
		if try == tries || ctx.Err() != nil {
			return "", nil, fmt.Errorf("starting %d members of etcd: %w", members, err)
		}
	}
}

// cluster is the members that run.
type cluster struct {
	dir     string // of their data
	members []*member
}

// member is a process.
type member struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

func start(ctx context.Context, binary, dir string) (servers string, c *cluster, err error) {
	data, err := os.MkdirTemp(dir, "etcd-")
	if err != nil {
		return "", nil, err
	}
	c = &cluster{dir: data}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	addrs, err := freeAddrs(2 * members)
	if err != nil {
		return "", nil, err
	}
	clients, peers := addrs[:members], addrs[members:]
	var all []string
	for i, peer := range peers {
		all = append(all, fmt.Sprintf("m%d=http://%s", i, peer))
	}
	for i := range members {
		name := fmt.Sprintf("m%d", i)
		m, err := startMember(binary,
			"-name", name, "-dir", filepath.Join(data, name),
			"-client", "http://"+clients[i], "-peer", "http://"+peers[i], "-cluster", strings.Join(all, ","))
		if err != nil {
			return "", nil, err
		}
		c.members = append(c.members, m)
	}
	// A member that does not become ready is ended by the end of the context.
	kill := context.AfterFunc(ctx, func() {
		for _, m := range c.members {
			_ = m.cmd.Process.Kill()
		}
	})
	defer kill()
	for i, m := range c.members {
		if line, err := m.out.ReadString('\n'); strings.TrimSpace(line) != "ready" {
			return "", nil, errors.Join(fmt.Errorf("member %d at %s says %q, not that it is ready", i, clients[i], line), err, context.Cause(ctx))
		}
	}
	return strings.Join(clients, ","), c, nil
}

func startMember(binary string, args ...string) (*member, error) {
	cmd := exec.Command(binary, args...) //nolint:noctx // it outlives the call that starts it, and Close ends it
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &member{cmd: cmd, in: in, out: bufio.NewReader(out)}, cmd.Start()
}

// Close ends the members, and returns when they are gone.
func (c *cluster) Close() error {
	var errs []error
	for _, m := range c.members {
		_ = m.in.Close()
	}
	for _, m := range c.members {
		kill := time.AfterFunc(endLimit, func() { _ = m.cmd.Process.Kill() })
		if err := m.cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("the end of %s: %w", m.cmd, err))
		}
		kill.Stop()
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// freeAddrs are addresses of this machine that nobody listens on now.
func freeAddrs(n int) ([]string, error) {
	addrs := make([]string, n)
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are held until the last is found, so that they differ
		addrs[i] = l.Addr().String()
	}
	return addrs, nil
}
