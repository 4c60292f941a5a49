package admin

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// converse opens a connection to addr, lets talk use it, and closes it. When ctx ends it
// closes it under talk, and the error is ctx's.
func (s *Server) converse(ctx context.Context, addr string, secure bool, talk func(net.Conn) error) error {
	if ctx.Err() != nil {
		return over(ctx)
	}
	err := s.connected(ctx, addr, secure, talk)
	if err != nil && ctx.Err() != nil {
		return over(ctx)
	}
	return err
}

// over is the error of a context that has ended: its own and its cause.
func over(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

func (s *Server) connected(ctx context.Context, addr string, secure bool, talk func(net.Conn) error) error {
	conn, err := s.dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = conn.Close()
	})
	defer func() {
		if !stop() {
			<-closed
		}
		_ = conn.Close()
	}()
	if !secure {
		return talk(conn)
	}
	encrypted := tls.Client(conn, s.tlsFor(addr))
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	return talk(encrypted)
}

// tlsFor returns the TLS configuration with the name to check certificates against.
func (s *Server) tlsFor(addr string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.tls != nil {
		cfg = s.tls.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	return cfg
}

// fourLetters sends a word to the client port and returns all that comes until the server
// ends the connection.
func (s *Server) fourLetters(ctx context.Context, word string) (string, error) {
	var answer string
	err := s.converse(ctx, s.addr, s.tls != nil, func(conn net.Conn) error {
		if _, err := io.WriteString(conn, word); err != nil {
			return err
		}
		all, err := s.readAll(conn)
		answer = string(all)
		return err
	})
	return answer, err
}

// readAll reads to the end, which has to come before the limit.
func (s *Server) readAll(r io.Reader) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(r, s.max+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("connection lost after %d bytes of the answer: %w", len(all), err)
	case int64(len(all)) > s.max:
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrTooLong, s.max)
	}
	return all, nil
}

// statusError is an HTTP status instead of an answer.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string {
	if e.code == http.StatusNotFound {
		return fmt.Sprintf("HTTP status %s: the URL is not that of an admin endpoint", e.text)
	}
	return "HTTP status " + e.text
}

// command asks the admin endpoint and returns its answer: JSON, and not an error. It speaks
// HTTP without net/http's transport, which would leave goroutines behind for a while, use
// proxies and follow redirects.
func (s *Server) command(ctx context.Context, command string) ([]byte, error) {
	to := s.url.JoinPath("commands", command)
	secure := to.Scheme == "https"
	port := to.Port()
	switch {
	case port != "":
	case secure:
		port = "443"
	default:
		port = "80"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Close = true
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "zookit")
	var answer []byte
	err = s.converse(ctx, net.JoinHostPort(to.Hostname(), port), secure, func(conn net.Conn) error {
		if err := req.Write(conn); err != nil {
			return err
		}
		reply, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, s.max+maxHeader)), req)
		if err != nil {
			return fmt.Errorf("no HTTP answer: %w", err)
		}
		defer func() { _ = reply.Body.Close() }()
		if answer, err = s.readAll(reply.Body); err != nil {
			return err
		}
		return judge(reply, answer)
	})
	return answer, err
}

// maxHeader is room for what comes before an answer and between its chunks.
const maxHeader = 4 << 20

// judge returns the error that an endpoint answers with, if it does.
func judge(reply *http.Response, answer []byte) error {
	values, err := object(answer)
	said := values["error"]
	switch {
	case reply.StatusCode == http.StatusUnauthorized, reply.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: HTTP status %s", ErrNotAllowed, reply.Status)
	case strings.Contains(said, notServing):
		return ErrNotServing
	case said != "":
		return fmt.Errorf("the endpoint answers with an error: %s", quote(said))
	case reply.StatusCode != http.StatusOK:
		return &statusError{code: reply.StatusCode, text: reply.Status}
	}
	return err
}
