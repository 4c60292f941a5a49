package ensemble

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

// deadOwner is the label of a process of this host that has ended.
func deadOwner(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
	require.NoError(t, cmd.Run())
	o := thisOwner()
	o.pid = cmd.Process.Pid
	o.began = "1"
	return o.String()
}

func TestOwnerThatHasEnded(t *testing.T) {
	here := thisOwner()
	require.False(t, ended(here.String()), "this process")
	require.True(t, ended(deadOwner(t)), "a process that has ended")

	later := here
	later.began += "0"
	if here.began != "" {
		require.True(t, ended(later.String()), "a process that had this one's number before")
	}
	elsewhere := here
	elsewhere.host += "x"
	elsewhere.pid = 1 << 30
	require.False(t, ended(elsewhere.String()), "a process of another host")
	for _, bad := range []string{"", "a/b", here.host + "/" + here.space + "/x/1", here.host + "/" + here.space + "/-1/1"} {
		require.False(t, ended(bad), "label %q", bad)
	}
}

func TestSweepRemovesWhatDeadRunsHaveLeft(t *testing.T) {
	e := dockerEngine(t)
	image, err := e.image(t.Context())
	require.NoError(t, err)
	dead := map[string]string{ownerLabel: deadOwner(t)}
	left, err := testcontainers.Run(t.Context(), image, testcontainers.WithLabels(dead), testcontainers.WithNoStart())
	require.NoError(t, err)
	net, err := tcnetwork.New(t.Context(), tcnetwork.WithLabels(dead))
	require.NoError(t, err)
	ours, err := e.network(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ours.remove(context.WithoutCancel(t.Context()))) })

	require.NoError(t, e.sweep(t.Context()))
	_, err = e.api.ContainerInspect(t.Context(), left.GetContainerID(), client.ContainerInspectOptions{})
	require.Error(t, err, "the container of a dead process is still there")
	_, err = e.api.NetworkInspect(t.Context(), net.ID, client.NetworkInspectOptions{})
	require.Error(t, err, "the network of a dead process is still there")
	_, err = e.api.NetworkInspect(t.Context(), ours.id, client.NetworkInspectOptions{})
	require.NoError(t, err, "a network of this process is gone")
}
