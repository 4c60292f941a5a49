package config_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

type pool struct {
	Max   int             `json:"max"`
	Wait  time.Duration   `json:"wait"`
	Hosts []string        `json:"hosts"`
	Sizes map[string]bool `json:"sizes"`
}

type service struct {
	Name string `json:"name"`
	Pool pool   `json:"pool"`
}

func TestTree(t *testing.T) {
	srv := zktest.Start(t, zktest.WithFixture(`{"/app": {"/name": "heat", "/pool": {"/max": "5", "/wait": "1s", "/hosts": "a, b"}}}`))
	tree, err := config.WatchTree(bounded(t), connect(t, srv), "/app", recipes.MirrorConfig{})
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	s := service{Name: "x", Pool: pool{Max: 1}}
	require.NoError(t, tree.Load().Unmarshal(&s))
	require.Equal(t, service{Name: "heat", Pool: pool{Max: 5, Wait: time.Second, Hosts: []string{"a", "b"}}}, s)
	require.Equal(t, "heat", tree.Load().Text("name", "?"))
	require.Equal(t, "?", tree.Load().Text("none", "?"))
	require.Equal(t, []string{"name", "pool"}, tree.Load().Names(""))
	require.Equal(t, []string{"hosts", "max", "wait"}, tree.Load().Names("pool"))
	data, ok := tree.Get("pool/max")
	require.True(t, ok)
	require.Equal(t, "5", string(data))
	var all []string
	for name, data := range tree.Load().All() {
		all = append(all, fmt.Sprintf("%s=%s", name, data))
	}
	require.Equal(t, []string{"name=heat", "pool=", "pool/hosts=a, b", "pool/max=5", "pool/wait=1s"}, all)

	for now, err := range tree.Updates(bounded(t)) {
		require.NoError(t, err)
		if now.Text("pool/max", "") == "many" {
			break
		}
		require.NoError(t, srv.Set("/app/pool/max", []byte("many")))
	}
	err = tree.Load().Unmarshal(&s)
	require.ErrorIs(t, err, config.ErrBadDocument)
	require.ErrorContains(t, err, `/app/pool/max: "many" is not a whole number`)
	require.ErrorIs(t, tree.Load().Unmarshal(s), client.ErrBadArgument)

	_, err = config.WatchTree(t.Context(), connect(t, srv), "/app", recipes.MirrorConfig{NoData: true})
	require.ErrorIs(t, err, client.ErrBadArgument)
}
