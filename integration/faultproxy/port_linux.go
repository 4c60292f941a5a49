package faultproxy

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// port keeps a TCP port of 127.0.0.1 for the proxy while it does not listen.
// A socket that is bound and does not listen refuses connections, and the
// kernel gives its port to nobody who asks for any free one.
type port struct {
	fd     int
	number int
}

func reservePort() (*port, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("fault proxy: reserve a port on 127.0.0.1: socket: %w", err)
	}
	number, err := bindAny(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fault proxy: reserve a port on 127.0.0.1: %w", err), syscall.Close(fd))
	}
	return &port{fd: fd, number: number}, nil
}

// bindAny binds to a free port. SO_REUSEADDR lets the listener, which Go opens
// with the same option, share the port.
func bindAny(fd int) (int, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, fmt.Errorf("set SO_REUSEADDR: %w", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("bind: %w", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("getsockname: %w", err)
	}
	address, ok := name.(*syscall.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("getsockname: got %T, want an IPv4 address", name)
	}
	return address.Port, nil
}

func (r *port) listen() (*net.TCPListener, error) {
	return listenLoopback(r.number)
}

func (r *port) release() error {
	if err := syscall.Close(r.fd); err != nil {
		return fmt.Errorf("fault proxy: give port %d back: %w", r.number, err)
	}
	return nil
}
