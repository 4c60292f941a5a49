package ensemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// ownerLabel says which process a container or network belongs to.
const ownerLabel = "org.zookit.ensemble.owner"

func (e *containerEngine) labels() map[string]string {
	return map[string]string{ownerLabel: thisOwner().String()}
}

// sweep removes the containers and networks of processes that have ended
// without doing so: killed, or out of time.
func (e *containerEngine) sweep(ctx context.Context) error {
	ours := make(client.Filters).Add("label", ownerLabel)
	ctrs, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return fmt.Errorf("look for left-over containers: %w", err)
	}
	nets, err := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	if err != nil {
		return fmt.Errorf("look for left-over networks: %w", err)
	}
	// Two processes may sweep at once: what the other one has removed, or is
	// removing, is no error.
	done := func(err error) error {
		if errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
			return nil
		}
		return err
	}
	var errs []error
	for _, c := range ctrs.Items {
		if !ended(c.Labels[ownerLabel]) {
			continue
		}
		_, err := e.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		errs = append(errs, done(err))
	}
	for _, n := range nets.Items {
		if !ended(n.Labels[ownerLabel]) {
			continue
		}
		_, err := e.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		errs = append(errs, done(err))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove what an earlier run has left: %w", err)
	}
	return nil
}

// owner names a process for as long as its host runs, also after its number has
// gone to another one.
type owner struct {
	host, space string // the space that its number counts in
	pid         int
	began       string // empty where the system does not tell
}

func thisOwner() owner {
	o := ownerPlace()
	o.pid = os.Getpid()
	o.began = began(o.pid)
	return o
}

func ownerPlace() owner {
	host, _ := os.Hostname()                     // a host without a name counts as one name
	space, _ := os.Readlink("/proc/self/ns/pid") // Linux only
	return owner{host: host, space: space}
}

func (o owner) String() string {
	return strings.Join([]string{o.host, o.space, strconv.Itoa(o.pid), o.began}, "/")
}

// ended tells whether the owner that a label names is known to be gone. What
// another host or another container has started is never ours to remove.
func ended(label string) bool {
	parts := strings.Split(label, "/")
	here := ownerPlace()
	if len(parts) != 4 || parts[0] != here.host || parts[1] != here.space {
		return false
	}
	pid, err := strconv.Atoi(parts[2])
	if err != nil || pid <= 0 {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer func() { _ = p.Release() }()
	if errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return true
	}
	return parts[3] != "" && parts[3] != began(pid)
}

// began is when a process began, in the kernel's own count.
func began(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the program's name in brackets and may hold anything;
	// of those after it the start is the twentieth.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}
