//go:build !linux

package faultproxy

import "net"

// port remembers a TCP port of 127.0.0.1. Only Linux lets a bound socket and a
// listener share a port, so that here another program can take the port
// between Refuse and Accept; Accept then says so.
type port struct {
	number int
}

func reservePort() (*port, error) { return &port{}, nil }

func (r *port) listen() (*net.TCPListener, error) {
	listener, err := listenLoopback(r.number)
	if err != nil {
		return nil, err
	}
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		r.number = address.Port
	}
	return listener, nil
}

func (r *port) release() error { return nil }
