package ensemble

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublished(t *testing.T) {
	for _, test := range []struct{ daemon, override, host, bind string }{
		{"unix:///var/run/docker.sock", "", "127.0.0.1", "127.0.0.1"},
		{"tcp://localhost:2375", "", "127.0.0.1", "127.0.0.1"},
		{"tcp://127.0.0.1:2375", "", "127.0.0.1", "127.0.0.1"},
		{"tcp://docker.example:2376", "", "docker.example", "0.0.0.0"},
		{"unix:///var/run/docker.sock", "host.example", "host.example", "0.0.0.0"},
	} {
		t.Setenv("TESTCONTAINERS_HOST_OVERRIDE", test.override)
		host, bind, err := published(test.daemon)
		require.NoError(t, err, test.daemon)
		require.Equal(t, test.host, host, test.daemon)
		require.Equal(t, test.bind, bind.String(), test.daemon)
	}
	t.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "")
	_, _, err := published("ssh://me:secret@docker.example")
	require.ErrorContains(t, err, "TESTCONTAINERS_HOST_OVERRIDE")
	require.NotContains(t, err.Error(), "secret")
}

func TestOnceOutlivesACallerThatGivesUp(t *testing.T) {
	var o once[int]
	began, release := make(chan struct{}), make(chan struct{})
	find := func() (int, error) {
		close(began) // panics if called twice
		<-release
		return 7, nil
	}
	gaveUp := errors.New("given up")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-began
		cancel(gaveUp)
	}()
	_, err := o.get(ctx, find)
	require.ErrorIs(t, err, gaveUp)
	close(release)
	got, err := o.get(t.Context(), find)
	require.NoError(t, err)
	require.Equal(t, 7, got)
}
