package ensemble

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// containers runs each server in a Docker container of its own. The image is
// the one that ZOOKIT_TEST_IMAGE names, by default the official one; where
// that cannot be had, one made of Debian's packages (see package image).
type containers struct{}

func (containers) name() string { return "containers" }

func (containers) available(ctx context.Context) error {
	_, err := openEngine(ctx)
	return err
}

func (containers) start(ctx context.Context, s spec) (cluster, error) {
	e, err := openEngine(ctx)
	if err != nil {
		return nil, err
	}
	image, err := e.image(ctx)
	if err != nil {
		return nil, err
	}
	c := &containerCluster{engine: e, image: image}
	if err := c.start(ctx, s); err != nil {
		// Nothing is left behind, also if what ended the start was ctx.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, c.close(clean))
	}
	return c, nil
}

// containerCluster is a set of containers that make up one ensemble.
type containerCluster struct {
	engine *containerEngine
	image  string

	ports   *ports
	clients *containerNetwork // nil unless peers is for the servers alone
	peers   *containerNetwork // nil for one server that needs no network
	servers []*containerNode

	closing  sync.Once
	closeErr error
}

func (c *containerCluster) start(ctx context.Context, s spec) error {
	if s.disk > 0 {
		return ErrNoDisks
	}
	var err error
	if c.ports, err = claimPorts(2 * s.servers); err != nil {
		return err
	}
	if err := c.connect(ctx, s); err != nil {
		return err
	}
	s = s.inFolder(containerFiles)
	for i := range s.servers {
		env, err := containerEnv(s, i, c.peers)
		if err != nil {
			return err
		}
		n := &containerNode{cluster: c, index: i, port: c.ports.at(i), env: env, files: s.files}
		if s.tls {
			n.securePort = c.ports.at(s.servers + i)
		}
		c.servers = append(c.servers, n)
	}
	return c.each(func(n *containerNode) error {
		if err := n.create(ctx); err != nil {
			return err
		}
		return n.start(ctx)
	})
}

// connect makes the networks. With cuts there are two: the servers talk to
// each other on the one, whose loss leaves them the other, on which clients
// come in.
func (c *containerCluster) connect(ctx context.Context, s spec) error {
	if s.servers == 1 && !s.peerCuts {
		return nil
	}
	var err error
	if c.peers, err = c.engine.peerNetwork(ctx, s.peerCuts); err != nil {
		return err
	}
	if s.peerCuts {
		c.clients, err = c.engine.clientNetwork(ctx)
	}
	return err
}

func (c *containerCluster) nodes() []node {
	all := make([]node, len(c.servers))
	for i, n := range c.servers {
		all[i] = n
	}
	return all
}

func (c *containerCluster) close(ctx context.Context) error {
	c.closing.Do(func() {
		errs := []error{c.each(func(n *containerNode) error { return n.remove(ctx) })}
		for _, n := range []*containerNetwork{c.clients, c.peers} {
			if n != nil {
				errs = append(errs, n.remove(ctx))
			}
		}
		if c.ports != nil {
			errs = append(errs, c.ports.close())
		}
		// Idle connections to the engine would look like leaked goroutines.
		errs = append(errs, c.engine.api.Close())
		if err := errors.Join(errs...); err != nil {
			c.closeErr = fmt.Errorf("close the containers of an ensemble: %w", err)
		}
	})
	return c.closeErr
}

// each calls f for all servers at once and waits for all of them.
func (c *containerCluster) each(f func(*containerNode) error) error {
	errs := make([]error, len(c.servers))
	var wg sync.WaitGroup
	for i, n := range c.servers {
		wg.Go(func() { errs[i] = f(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
