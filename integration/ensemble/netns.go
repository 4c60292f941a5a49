//go:build linux

package ensemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Inside the namespaces every ensemble uses the same addresses and ports. Only
// the links to the clients are seen outside: they take theirs from 198.18.0.0/16,
// which is set aside for tests of networks (RFC 2544), a block of 32 addresses
// for each ensemble and 4 for each server.
const (
	peerPrefix   = "198.19.0."
	clientBlocks = 1 << 11
	blockTries   = 64
)

// namespaces gives each server a network namespace with two links: one to the
// clients, who stay where they are, and one to a bridge, in a namespace of its own,
// that connects the servers. Cutting a server off takes its port of the bridge
// down; nothing happens to its other link.
//
// A namespace has no name: it lives as long as the process that holds it and the
// server in it, and takes its links with it. So nothing is left behind, however
// this process ends; after a crash the links may stay for the minute that the
// kernel remembers the last connections.
type namespaces struct {
	ip, nsenter string
	hub         *holder
	holders     []*holder // of server i
	block       int       // of client addresses
	links       []string  // our ends of the links to the clients
}

// holder is a process that does nothing but keep a namespace.
type holder struct {
	child *child
	stdin io.Closer
}

func layNamespaces(ctx context.Context, servers int, t *tether) (wiring, error) {
	n := &namespaces{}
	err := n.findTools()
	if err == nil {
		err = n.lay(ctx, servers, t)
	}
	if err != nil {
		return nil, errors.Join(
			fmt.Errorf("%w: cutting local servers off from each other needs network namespaces, "+
				"so root (or CAP_SYS_ADMIN and CAP_NET_ADMIN), ip (Debian: apt-get install iproute2) "+
				"and nsenter (apt-get install util-linux): %w", ErrNoProvider, err),
			n.close(context.WithoutCancel(ctx)))
	}
	return n, nil
}

func (n *namespaces) findTools() (err error) {
	if n.ip, err = findTool("ip"); err != nil {
		return err
	}
	n.nsenter, err = findTool("nsenter")
	return err
}

// findTool looks in the folders for administrators too, which not every shell has
// in its PATH.
func findTool(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin/", "/sbin/", "/usr/bin/"} {
		if err == nil {
			break
		}
		path, err = exec.LookPath(dir + name)
	}
	return path, err
}

func (n *namespaces) lay(ctx context.Context, servers int, t *tether) error {
	hub, err := hold(t, syscall.CLONE_NEWNET)
	if err != nil {
		return err
	}
	n.hub = hub
	for range servers {
		h, err := hold(t, syscall.CLONE_NEWNET)
		if err != nil {
			return err
		}
		n.holders = append(n.holders, h)
	}
	if err := n.layPeerLinks(ctx); err != nil {
		return err
	}
	if err := n.layClientLinks(ctx); err != nil {
		return err
	}
	for i, h := range n.holders {
		err := n.run(ctx, h,
			"link set lo up",
			fmt.Sprintf("addr add %s%d/24 dev peers", peerPrefix, i+1),
			"link set peers up",
			fmt.Sprintf("addr add %s/30 dev clients", n.serverHost(i)),
			"link set clients up")
		if err != nil {
			return err
		}
	}
	return nil
}

// layPeerLinks puts a bridge into the hub, with a port for each server.
func (n *namespaces) layPeerLinks(ctx context.Context) error {
	lines := []string{"link add bridge type bridge", "link set bridge up"}
	for i, h := range n.holders {
		lines = append(lines,
			fmt.Sprintf("link add %s type veth peer name peers netns %d", hubPort(i), h.child.pid()),
			fmt.Sprintf("link set %s master bridge up", hubPort(i)))
	}
	return n.run(ctx, n.hub, lines...)
}

// layClientLinks finds a block of addresses that no other ensemble has: the name
// of its first link is made of the block's number, and the system refuses a
// second link of that name.
func (n *namespaces) layClientLinks(ctx context.Context) error {
	var last error
	for range blockTries {
		n.block = rand.IntN(clientBlocks)
		first, rest := n.clientLines(0), []string(nil)
		if last = n.run(ctx, nil, first[0]); last != nil {
			if strings.Contains(last.Error(), "File exists") {
				continue
			}
			return last
		}
		rest = append(rest, first[1:]...)
		for i := range n.holders {
			n.links = append(n.links, n.clientLink(i))
			if i > 0 {
				rest = append(rest, n.clientLines(i)...)
			}
		}
		return n.run(ctx, nil, rest...)
	}
	return fmt.Errorf("no free block of addresses in 198.18.0.0/16 found in %d tries: %w", blockTries, last)
}

func (n *namespaces) clientLines(i int) []string {
	link := n.clientLink(i)
	return []string{
		fmt.Sprintf("link add %s type veth peer name clients netns %d", link, n.holders[i].child.pid()),
		fmt.Sprintf("link set %s alias zookit-test-ensemble-of-process-%d", link, os.Getpid()),
		fmt.Sprintf("addr add %s/30 dev %s", n.clientHost(i), link),
		fmt.Sprintf("link set %s up", link),
	}
}

func hubPort(i int) string { return "port" + strconv.Itoa(i+1) }

func (n *namespaces) clientLink(i int) string { return fmt.Sprintf("zkt%03x-%d", n.block, i+1) }

// clientHost is the address of this end of the link to server i, serverHost that
// of the other end.
func (n *namespaces) clientHost(i int) netip.Addr { return n.blockAddr(4*i + 1) }
func (n *namespaces) serverHost(i int) netip.Addr { return n.blockAddr(4*i + 2) }

func (n *namespaces) blockAddr(offset int) netip.Addr {
	host := n.block*32 + offset
	return netip.AddrFrom4([4]byte{198, 18, byte(host >> 8), byte(host)})
}

func (n *namespaces) place(i int) place {
	return place{
		peerHost:     peerPrefix + strconv.Itoa(i+1),
		quorumPort:   2888,
		electionPort: 3888,
		clientHost:   n.serverHost(i).String(),
		clientPort:   2181,
		securePort:   2281,
		enter:        n.enter(n.holders[i]),
		cut:          func(ctx context.Context) error { return n.run(ctx, n.hub, "link set "+hubPort(i)+" down") },
		heal:         func(ctx context.Context) error { return n.run(ctx, n.hub, "link set "+hubPort(i)+" up") },
	}
}

// enter is the command that runs another one in the namespace of h, in its own place:
// the process id stays the same, and so does the tie to this process.
func (n *namespaces) enter(h *holder) []string {
	return []string{n.nsenter, fmt.Sprintf("--net=/proc/%d/ns/net", h.child.pid()), "--"}
}

// run gives lines to ip, in the namespace of h or else in our own.
func (n *namespaces) run(ctx context.Context, h *holder, lines ...string) error {
	line := []string{n.ip, "-batch", "-"}
	if h != nil {
		line = append(n.enter(h), line...)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip, given %q: %w: %s", lines, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// close removes the links, which takes the other ends away as well, and then
// lets the namespaces go. The servers have been killed before.
func (n *namespaces) close(ctx context.Context) error {
	var errs []error
	for _, link := range n.links {
		errs = append(errs, n.run(ctx, nil, "link del "+link))
	}
	n.links = nil
	for _, h := range n.holders {
		errs = append(errs, h.close(ctx))
	}
	n.holders = nil
	if n.hub != nil {
		errs = append(errs, n.hub.close(ctx))
		n.hub = nil
	}
	return errors.Join(errs...)
}

// hold starts a process in a new namespace of a kind. It also ends at the end of
// its input, which is the end of this process.
func hold(t *tether, kind uintptr) (*holder, error) {
	cmd := exec.Command("cat")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: kind}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p, err := startChild(t, cmd)
	if err != nil {
		_ = stdin.Close() // a failed start closes it as well
		return nil, fmt.Errorf("a process in a new namespace: %w", err)
	}
	return &holder{child: p, stdin: stdin}, nil
}

func (h *holder) close(ctx context.Context) error {
	_ = h.stdin.Close() // closed by the process's end as well
	return h.child.kill(ctx)
}
