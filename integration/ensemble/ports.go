package ensemble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports come from below the ranges from which systems take the ports of
// outgoing connections, so that none of these sits on the port of a server
// while that server is down.
const (
	firstPort = 15000
	lastPort  = 32000
	portBlock = 32
)

// ports is a block of free ports of 127.0.0.1 that belongs to one ensemble. Its
// first port is listened on for as long as the block is held, which keeps
// ensembles of all processes from using the same block, and ends by itself with
// the process. The servers use the others.
type ports struct {
	claim net.Listener
	first int
}

// claimPorts finds a block whose first n ports (at most portBlock-1) are free.
func claimPorts(n int) (*ports, error) {
	if n < 1 || n >= portBlock {
		return nil, fmt.Errorf("ports of an ensemble: %d asked for, at most %d can be had", n, portBlock-1)
	}
	blocks := rand.Perm((lastPort - firstPort) / portBlock)
	var last error
	for _, block := range blocks {
		base := firstPort + block*portBlock
		claim, err := listen(base)
		if err != nil {
			last = err
			continue
		}
		if err := allFree(base+1, n); err != nil {
			last = errors.Join(err, claim.Close())
			continue
		}
		return &ports{claim: claim, first: base + 1}, nil
	}
	return nil, fmt.Errorf("ports of an ensemble: no block of %d free ports between %d and %d on 127.0.0.1: %w", n+1, firstPort, lastPort, last)
}

// at returns port number i of the block, from 0.
func (p *ports) at(i int) int { return p.first + i }

// close gives the block back.
func (p *ports) close() error { return p.claim.Close() }

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func allFree(first, n int) error {
	for i := range n {
		l, err := listen(first + i)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}
