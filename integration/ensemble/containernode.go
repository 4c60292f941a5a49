package ensemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	dockernet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

const (
	clientPort = "2181/tcp"
	securePort = "2281/tcp"
	// containerFiles is where the caller's files are in a container.
	containerFiles = "/ensemble-files"
)

// containerNode is one server. Its data is in the container, so that killing
// and starting it keeps them and making the container anew empties it.
type containerNode struct {
	cluster    *containerCluster
	index      int
	port       int // on the engine's host, always the same
	securePort int // for TLS, likewise; 0 if there is none
	env        map[string]string
	files      map[string][]byte
	cut        bool // from the other servers

	mu      sync.Mutex
	current *testcontainers.DockerContainer // nil while there is none
	watch   *containerWatch                 // nil before the first start
	past    string                          // what containers before the current one wrote
}

func (n *containerNode) addr() string {
	return net.JoinHostPort(n.cluster.engine.host, strconv.Itoa(n.port))
}

func (n *containerNode) secureAddr() string {
	if n.securePort == 0 {
		return ""
	}
	return net.JoinHostPort(n.cluster.engine.host, strconv.Itoa(n.securePort))
}

// alias is the server's name on the networks.
func (n *containerNode) alias() string { return "zk" + strconv.Itoa(n.index+1) }

// create makes the container without starting it.
func (n *containerNode) create(ctx context.Context) error {
	c := n.cluster
	exposed := []string{clientPort}
	bindings := dockernet.PortMap{
		dockernet.MustParsePort(clientPort): {{HostIP: c.engine.bind, HostPort: strconv.Itoa(n.port)}},
	}
	if n.securePort != 0 {
		exposed = append(exposed, securePort)
		bindings[dockernet.MustParsePort(securePort)] = []dockernet.PortBinding{{HostIP: c.engine.bind, HostPort: strconv.Itoa(n.securePort)}}
	}
	opts := []testcontainers.ContainerCustomizer{
		testcontainers.WithEnv(n.env),
		testcontainers.WithLabels(c.engine.labels()),
		testcontainers.WithExposedPorts(exposed...),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = bindings
		}),
		testcontainers.WithLogger(tclog.NewNoopLogger()),
		testcontainers.WithNoStart(),
	}
	for name, content := range n.files {
		opts = append(opts, testcontainers.WithFiles(testcontainers.ContainerFile{
			// The server's user is not the one who copies.
			Reader: bytes.NewReader(content), ContainerFilePath: containerFiles + "/" + name, FileMode: 0o644,
		}))
	}
	first := c.clients
	if first == nil {
		first = c.peers
	}
	if first != nil {
		opts = append(opts, tcnetwork.WithNetworkName([]string{n.alias()}, first.name),
			testcontainers.WithEndpointSettingsModifier(func(all map[string]*dockernet.EndpointSettings) {
				// The engine puts a container on its default network where it
				// does not know the one that is asked for.
				if all[first.name] == nil {
					all[first.name] = &dockernet.EndpointSettings{}
				}
				all[first.name].IPAMConfig = first.ipam(n.index)
			}))
	}
	making, cancel := unbroken(ctx)
	ctr, err := testcontainers.Run(making, c.image, opts...)
	cancel()
	n.mu.Lock()
	n.current = ctr
	n.mu.Unlock()
	if err != nil {
		return n.fail("create", err)
	}
	if c.clients != nil && !n.cut {
		return n.connect(ctx)
	}
	return nil
}

// id is the container's, or an error where there is none.
func (n *containerNode) id() (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil {
		return "", fmt.Errorf("server %d has no container", n.index+1)
	}
	return n.current.GetContainerID(), nil
}

// do calls the engine for this container.
func (n *containerNode) do(what string, f func(id string) error) error {
	id, err := n.id()
	if err == nil {
		err = f(id)
	}
	if err != nil {
		return n.fail(what, err)
	}
	return nil
}

func (n *containerNode) fail(what string, err error) error {
	return fmt.Errorf("%s server %d (container of %s at %s): %w", what, n.index+1, n.cluster.image, n.addr(), err)
}

func (n *containerNode) start(ctx context.Context) error {
	return n.do("start", func(id string) error {
		n.unwatch()
		_, err := n.cluster.engine.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
		if err != nil {
			if portTaken(err) {
				err = fmt.Errorf("%w: %w", errPortTaken, err)
			}
			return err
		}
		w := watchContainer(context.WithoutCancel(ctx), n.cluster.engine, id)
		n.mu.Lock()
		n.watch = w
		n.mu.Unlock()
		return nil
	})
}

// portTaken tells the engine's refusal of a port that is in use, by a container
// or by another program.
func portTaken(err error) bool {
	text := err.Error()
	return strings.Contains(text, "port is already allocated") || strings.Contains(text, "address already in use")
}

func (n *containerNode) kill(ctx context.Context) error {
	return n.do("kill", func(id string) error {
		n.unwatch()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the wait if the kill is refused
		api := n.cluster.engine.api
		wait := api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		_, err := api.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
		// A server that has ended by itself is as dead as was asked for.
		if err != nil && !errdefs.IsConflict(err) {
			return err
		}
		select {
		case <-wait.Result:
			return nil
		case err := <-wait.Error:
			return err
		}
	})
}

// unwatch forgets how the server ends: it is about to be ended or started.
func (n *containerNode) unwatch() {
	n.mu.Lock()
	w := n.watch
	n.watch = nil
	n.mu.Unlock()
	if w != nil {
		w.close()
	}
}

func (n *containerNode) died() error {
	n.mu.Lock()
	w := n.watch
	n.mu.Unlock()
	if w == nil {
		return nil
	}
	code, ended := w.ended()
	if !ended {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	return fmt.Errorf("its container (%s) ended by itself with exit code %d; its log ends:\n%s",
		n.cluster.image, code, lastLines(n.logs(ctx), 10))
}

func (n *containerNode) pause(ctx context.Context) error {
	return n.do("pause", func(id string) error {
		_, err := n.cluster.engine.api.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

func (n *containerNode) resume(ctx context.Context) error {
	return n.do("resume", func(id string) error {
		_, err := n.cluster.engine.api.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// wipe makes the container anew. It stays cut off if it was.
func (n *containerNode) wipe(ctx context.Context) error {
	err := n.do("wipe", func(id string) error {
		state, err := n.cluster.engine.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		if state.Container.State.Running {
			return errors.New("it is running: kill it first")
		}
		return nil
	})
	if err != nil {
		return err
	}
	past := n.logs(ctx)
	if err := n.remove(ctx); err != nil {
		return err
	}
	n.mu.Lock()
	n.past = past
	n.mu.Unlock()
	return n.create(ctx)
}

// remove kills and removes the container with its data.
func (n *containerNode) remove(ctx context.Context) error {
	n.unwatch()
	n.mu.Lock()
	ctr := n.current
	n.current = nil
	n.mu.Unlock()
	if ctr == nil {
		return nil
	}
	_, err := n.cluster.engine.api.ContainerRemove(ctx, ctr.GetContainerID(),
		client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return n.fail("remove", err)
	}
	return nil
}

func (n *containerNode) cutPeers(ctx context.Context) error {
	return n.do("cut off", func(id string) error {
		switch {
		case n.cluster.clients == nil:
			return ErrNoPeerCuts
		case n.cut:
			return nil
		}
		_, err := n.cluster.engine.api.NetworkDisconnect(ctx, n.cluster.peers.id,
			client.NetworkDisconnectOptions{Container: id})
		n.cut = err == nil
		return err
	})
}

func (n *containerNode) healPeers(ctx context.Context) error {
	if !n.cut {
		return nil
	}
	err := n.connect(ctx)
	n.cut = err != nil
	return err
}

// connect puts the server on the network of the servers, at its own address.
func (n *containerNode) connect(ctx context.Context) error {
	return n.do("connect", func(id string) error {
		_, err := n.cluster.engine.api.NetworkConnect(ctx, n.cluster.peers.id, client.NetworkConnectOptions{
			Container: id,
			EndpointConfig: &dockernet.EndpointSettings{
				Aliases:    []string{n.alias()},
				IPAMConfig: n.cluster.peers.ipam(n.index),
			},
		})
		return err
	})
}

func (n *containerNode) logs(ctx context.Context) string {
	n.mu.Lock()
	ctr, past := n.current, n.past
	n.mu.Unlock()
	var b strings.Builder
	b.WriteString(past)
	if ctr == nil {
		return b.String()
	}
	r, err := ctr.Logs(ctx)
	if err == nil {
		_, err = io.Copy(&b, r)
		err = errors.Join(err, r.Close())
	}
	if err != nil {
		fmt.Fprintf(&b, "[the rest of the log of %s cannot be read: %v]\n", n.addr(), err)
	}
	return b.String()
}
