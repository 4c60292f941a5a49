package ensemble

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

const serversVariable = "ZOOKIT_TEST_SERVERS"

// external uses servers that somebody else runs.
type external struct{}

func (external) name() string { return "external" }

func (external) available(context.Context) error {
	if strings.TrimSpace(os.Getenv(serversVariable)) == "" {
		return errors.New(serversVariable + " is not set; it would name running servers, as host:port,host:port")
	}
	return nil
}

func (external) start(_ context.Context, s spec) (cluster, error) {
	addrs, err := parseServers(os.Getenv(serversVariable))
	if err != nil {
		return nil, err
	}
	if len(addrs) < s.servers {
		return nil, fmt.Errorf("%s names %d servers (%s) and %d are asked for: name more, or unset it",
			serversVariable, len(addrs), strings.Join(addrs, ","), s.servers)
	}
	if len(s.explicit) > 0 {
		return nil, fmt.Errorf("%w: %s asked for, of the servers that %s names: unset it to run this with servers of its own",
			ErrNotControllable, strings.Join(s.explicit, ", "), serversVariable)
	}
	var c outsiders
	for _, addr := range addrs {
		c = append(c, outsider(addr))
	}
	return c, nil
}

// parseServers splits a list of servers and checks each.
func parseServers(list string) ([]string, error) {
	var addrs []string
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		host, port, err := net.SplitHostPort(entry)
		if err == nil && (host == "" || port == "") {
			err = errors.New("host or port is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no host:port: %w", serversVariable, entry, err)
		}
		addrs = append(addrs, entry)
	}
	return addrs, nil
}

type outsiders []node

func (o outsiders) nodes() []node               { return o }
func (o outsiders) close(context.Context) error { return nil }

// outsider is the address of a server that is not ours.
type outsider string

func (o outsider) addr() string                    { return string(o) }
func (o outsider) start(context.Context) error     { return ErrNotControllable }
func (o outsider) kill(context.Context) error      { return ErrNotControllable }
func (o outsider) pause(context.Context) error     { return ErrNotControllable }
func (o outsider) resume(context.Context) error    { return ErrNotControllable }
func (o outsider) wipe(context.Context) error      { return ErrNotControllable }
func (o outsider) cutPeers(context.Context) error  { return ErrNotControllable }
func (o outsider) healPeers(context.Context) error { return ErrNotControllable }

func (o outsider) logs(context.Context) string {
	return "the logs of " + string(o) + " are where it runs\n"
}
