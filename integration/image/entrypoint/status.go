package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// status asks the server at addr for its mode. A server that does not serve,
// or has no quorum, is an error, as it is with ZooKeeper's own script.
func status(addr string) (string, error) {
	const wait = 2 * time.Second
	conn, err := net.DialTimeout("tcp", addr, wait)
	if err != nil {
		return "", fmt.Errorf("status: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return "", fmt.Errorf("status: %w", err)
	}
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return "", fmt.Errorf("status: ask %s: %w", addr, err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 64<<10))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return "", fmt.Errorf("status: hear %s: %w", addr, err)
	}
	for line := range strings.Lines(string(answer)) {
		if strings.HasPrefix(line, "Mode:") {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("status: %s does not serve; it answered %q", addr, strings.TrimSpace(string(answer)))
}

// clientAddr is the client port of the server with this id, taken from
// zoo.cfg's server lines; 2181 where they do not tell.
func clientAddr(cfg, id string) string {
	for line := range strings.Lines(cfg) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || key != "server."+id {
			continue
		}
		if _, client, ok := strings.Cut(value, ";"); ok {
			return net.JoinHostPort("127.0.0.1", client[strings.LastIndex(client, ":")+1:])
		}
	}
	return "127.0.0.1:2181"
}
