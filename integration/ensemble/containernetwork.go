package ensemble

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/containerd/errdefs"
	dockernet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

// containerNetwork is a network of the engine that belongs to one ensemble.
type containerNetwork struct {
	engine   *containerEngine
	name, id string

	// subnet is set where the servers have addresses of their own.
	subnet netip.Prefix
}

// clientNetwork makes the network through which clients come in.
func (e *containerEngine) clientNetwork(ctx context.Context) (*containerNetwork, error) {
	n, err := e.network(ctx)
	if err != nil {
		return nil, fmt.Errorf("make a network for the clients: %w", err)
	}
	return n, nil
}

// peerNetwork makes the network on which the servers talk to each other. They
// have fixed addresses on it, and know each other by these: names would not
// resolve before the containers of all servers run, Java remembers a name's
// address, and a server that comes back to the network would be given another
// one than it listens on.
//
// A network for peers alone is internal: no packet between the servers finds
// another way, through the engine's host, once one of them has left it.
func (e *containerEngine) peerNetwork(ctx context.Context, alone bool) (*containerNetwork, error) {
	var opts []tcnetwork.NetworkCustomizer
	if alone {
		opts = append(opts, tcnetwork.WithInternal())
	}
	n, err := e.fixedNetwork(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("make a network for the servers: %w", err)
	}
	return n, nil
}

// fixedNetwork makes a network that allows fixed addresses. The engine allows
// them only on a subnet that it has been told, yet only the engine knows which
// subnets are free: so it is asked for a network of its choice first, which is
// then made again by its subnet. Somebody else can take the subnet in between.
func (e *containerEngine) fixedNetwork(ctx context.Context, opts []tcnetwork.NetworkCustomizer) (*containerNetwork, error) {
	const tries = 10
	var last error
	for range tries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		probe, err := e.network(ctx, opts...)
		if err != nil {
			return nil, err
		}
		subnet, err := probe.chosenSubnet(ctx)
		removing, cancel := unbroken(ctx)
		err = errors.Join(err, probe.remove(removing))
		cancel()
		if err != nil {
			return nil, err
		}
		ipam := &dockernet.IPAM{Driver: "default", Config: []dockernet.IPAMConfig{{Subnet: subnet}}}
		n, err := e.network(ctx, append(opts, tcnetwork.WithIPAM(ipam))...)
		if err == nil {
			n.subnet = subnet
			return n, nil
		}
		if !overlaps(err) {
			return nil, err
		}
		last = err
	}
	return nil, fmt.Errorf("no free subnet after %d tries: %w", tries, last)
}

// overlaps tells the engine's refusal of a subnet that is in use.
func overlaps(err error) bool {
	return errdefs.IsConflict(err) || strings.Contains(strings.ToLower(err.Error()), "overlap")
}

func (e *containerEngine) network(ctx context.Context, opts ...tcnetwork.NetworkCustomizer) (*containerNetwork, error) {
	making, cancel := unbroken(ctx)
	defer cancel()
	n, err := tcnetwork.New(making, append([]tcnetwork.NetworkCustomizer{tcnetwork.WithLabels(e.labels())}, opts...)...)
	if err != nil {
		return nil, err
	}
	return &containerNetwork{engine: e, name: n.Name, id: n.ID}, nil
}

func (n *containerNetwork) chosenSubnet(ctx context.Context) (netip.Prefix, error) {
	got, err := n.engine.api.NetworkInspect(ctx, n.id, client.NetworkInspectOptions{})
	if err != nil {
		return netip.Prefix{}, err
	}
	for _, c := range got.Network.IPAM.Config {
		if c.Subnet.Addr().Is4() {
			return c.Subnet, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("network %s has no IPv4 subnet", n.name)
}

// ip is the address of server i: the first address of a subnet is the
// network's, the second the gateway's.
func (n *containerNetwork) ip(i int) netip.Addr {
	a := n.subnet.Masked().Addr().Next().Next()
	for range i {
		a = a.Next()
	}
	return a
}

// ipam asks for that address, or for none where the network has no fixed ones.
func (n *containerNetwork) ipam(i int) *dockernet.EndpointIPAMConfig {
	if !n.subnet.IsValid() {
		return nil
	}
	return &dockernet.EndpointIPAMConfig{IPv4Address: n.ip(i)}
}

func (n *containerNetwork) remove(ctx context.Context) error {
	_, err := n.engine.api.NetworkRemove(ctx, n.id, client.NetworkRemoveOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove network %s: %w", n.name, err)
	}
	return nil
}
