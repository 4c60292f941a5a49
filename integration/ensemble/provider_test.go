package ensemble

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoProviderSaysWhatToInstall(t *testing.T) {
	t.Setenv(serversVariable, "")
	t.Setenv(providerVariable, "jvm")
	t.Setenv(homeVariable, t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	_, err := Open(bounded(t), 1)
	require.ErrorIs(t, err, ErrNoProvider)
	for _, text := range []string{"as ZOOKIT_TEST_PROVIDER demands", "jvm: no java found", "apt-get install default-jre-headless", homeVariable} {
		require.ErrorContains(t, err, text)
	}

	t.Setenv(providerVariable, "")
	_, err = choose(bounded(t), []provider{external{}, jvm{}}, "")
	require.ErrorIs(t, err, ErrNoProvider)
	for _, text := range []string{"one of these is needed", "external: ZOOKIT_TEST_SERVERS is not set", "jvm: no java found"} {
		require.ErrorContains(t, err, text)
	}
}

func TestUnknownProvider(t *testing.T) {
	_, err := Open(t.Context(), 1, WithProvider("podman"))
	require.ErrorContains(t, err, `WithProvider names the provider "podman": it must be one of external, containers, jvm`)

	t.Setenv(providerVariable, "docker")
	_, err = Open(t.Context(), 1)
	require.ErrorContains(t, err, `ZOOKIT_TEST_PROVIDER names the provider "docker"`)
}

func TestExternalComesFirstUnlessForced(t *testing.T) {
	t.Setenv(serversVariable, "localhost:2181")
	t.Setenv(providerVariable, "")
	p, err := choose(bounded(t), providers(), "")
	require.NoError(t, err)
	require.Equal(t, "external", p.name())

	t.Setenv(providerVariable, "jvm")
	p, err = choose(bounded(t), providers(), "")
	if err != nil {
		require.ErrorIs(t, err, ErrNoProvider)
		t.Skipf("no jvm provider here: %v", err)
	}
	require.Equal(t, "jvm", p.name())
}

func TestCancelledContextStartsNothing(t *testing.T) {
	gone := errors.New("the caller is gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	_, err := Open(ctx, 1, tested())
	require.ErrorIs(t, err, gone)
}

// unlucky is a provider whose first servers find their ports taken.
type unlucky struct {
	addr     string
	failures int
	starts   int
	closes   int
}

func (u *unlucky) name() string                    { return "unlucky" }
func (u *unlucky) available(context.Context) error { return nil }
func (u *unlucky) nodes() []node                   { return []node{&unluckyNode{outsider(u.addr), u}} }
func (u *unlucky) close(context.Context) error     { u.closes++; return nil }

func (u *unlucky) start(context.Context, spec) (cluster, error) {
	u.starts++
	return u, nil
}

type unluckyNode struct {
	outsider
	of *unlucky
}

func (n *unluckyNode) died() error {
	if n.of.starts <= n.of.failures {
		return fmt.Errorf("%w: %s", errPortTaken, n.addr())
	}
	return nil
}

func TestStartedElsewhereWhenPortsAreTaken(t *testing.T) {
	addr := answering(t, map[string]string{"srvr": standaloneAnswer})
	o, err := newOptions(1, nil)
	require.NoError(t, err)

	u := &unlucky{addr: addr, failures: startTries - 1}
	e, err := open(bounded(t), u, o.spec)
	require.NoError(t, err)
	require.Equal(t, startTries, u.starts)
	require.NoError(t, e.Close())
	require.Equal(t, startTries, u.closes)

	u = &unlucky{addr: addr, failures: startTries}
	_, err = open(bounded(t), u, o.spec)
	require.ErrorIs(t, err, errPortTaken)
	require.Equal(t, startTries, u.closes)
}
