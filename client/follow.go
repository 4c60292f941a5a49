package client

import (
	"errors"
	"slices"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// WithEnsembleTracking makes the client follow the ensemble's configuration: it
// watches it and dials the servers that it names, so that a program outlives the
// replacement of all servers that it was started with. Those of [Connect] are
// kept, and tried after them, however the configuration changes. A server whose client address is "all of its
// addresses" is dialled where the other servers reach it.
//
// It is off by default: often clients cannot use the addresses that the servers use among
// themselves, as behind a virtual address, in Kubernetes, or with [WithTLS], whose ports
// are not in the configuration unless one port serves both. Needs ZooKeeper 3.5 or later
// and the right to read /zookeeper/config, which by default everybody has; without them
// the list of Connect is used, and the log says so.
func WithEnsembleTracking() Option {
	return func(s *settings) error {
		s.tracking = true
		return nil
	}
}

const (
	trackFirst = 100 * time.Millisecond
	trackMost  = time.Minute
)

// track gives the dialer the servers of the ensemble's configuration until the client
// is closed. A watch ends with its connection: so the configuration is read again
// after each reconnect.
func (c *Client) track() {
	o := Ops{c: c, bare: true}
	pause := newBackoff(trackFirst, trackMost)
	for {
		data, _, watch, err := o.GetW(c.ctx, configPath)
		if err == nil {
			c.found(data)
			pause.Reset()
			select {
			case <-watch.C:
				continue
			case <-c.ctx.Done(): // and the watch ends with the session
				return
			}
		}
		if c.ctx.Err() != nil {
			return
		}
		c.log.Info("zookeeper configuration cannot be followed, trying again", "path", configPath, "err", err)
		if sleep(c.ctx, pause.NextBackOff()) != nil {
			return
		}
	}
}

// found takes the servers from a configuration. One that cannot be used changes nothing.
func (c *Client) found(data []byte) {
	cfg, err := definiteConfig(jute.OpGetData, data)
	if err == nil && len(cfg.Servers) > 0 && len(cfg.dialled()) == 0 {
		err = errors.New("it names no client port")
	}
	if err != nil {
		c.log.Warn("zookeeper configuration cannot be followed", "path", configPath, "err", err)
		return
	}
	if c.dialer.follow(cfg.dialled()) {
		c.log.Info("zookeeper servers followed", "server", c.Servers())
	}
}

// dialled are the servers that a client dials.
func (c EnsembleConfig) dialled() []server {
	var out []server
	for _, s := range c.Servers {
		for _, one := range s.clientServers() {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}
