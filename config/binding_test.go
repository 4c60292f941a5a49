package config_test

import (
	"flag"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

type server struct {
	Addr    string        `json:"addr" usage:"where to listen"`
	Conns   int           `json:"max_conns"`
	Timeout time.Duration `json:"timeout" env:"TIMEOUT" flag:"t"`
	Debug   bool          `json:"debug"`
	Pool    struct {
		Size  uint8     `json:"size"`
		Hosts []string  `json:"hosts"`
		Since time.Time `json:"since" flag:"-"`
	} `json:"pool"`
	Labels map[string]string `json:"labels"`
}

func bind(t *testing.T, args ...string) *config.Binding[server] {
	t.Helper()
	fs := flag.NewFlagSet("program", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	b, err := config.Bind(server{Addr: ":80", Conns: 1, Timeout: time.Second, Labels: map[string]string{"a": "default"}}, "APP", fs)
	require.NoError(t, err)
	require.Equal(t, "1s", fs.Lookup("t").DefValue)
	require.Equal(t, "where to listen", fs.Lookup("addr").Usage)
	require.NoError(t, fs.Parse(args))
	return b
}

// The flag that was given, the document, the environment, the default: the first that there is.
func TestPrecedence(t *testing.T) {
	t.Setenv("APP_MAX_CONNS", "2")
	t.Setenv("TIMEOUT", "2s")
	t.Setenv("APP_POOL_SIZE", "2")
	t.Setenv("APP_POOL_SINCE", "2026-01-02T03:04:05Z")
	srv := zktest.Start(t)
	cl := connect(t, srv)
	v := watch(t, cl, config.WithBinding(bind(t, "-pool.size", "4", "-debug", "-pool.hosts", "x,y")))
	now := v.Load()
	require.Equal(t, ":80", now.Addr, "the default")
	require.Equal(t, 2, now.Conns, "the environment")
	require.Equal(t, 2026, now.Pool.Since.Year())
	require.Equal(t, uint8(4), now.Pool.Size, "the flag before the environment")
	require.True(t, now.Debug)
	require.Equal(t, []string{"x", "y"}, now.Pool.Hosts)

	updates := follow(t, v.Updates)
	wait(t, "the first", updates)
	require.NoError(t, srv.Create(path, []byte(`{"max_conns": 3, "pool": {"size": 3}, "labels": {"b": "document"}}`)))
	wait(t, "the document", updates)
	now = v.Load()
	require.Equal(t, 3, now.Conns, "the document before the environment")
	require.Equal(t, 2*time.Second, now.Timeout, "the environment where the document says nothing")
	require.Equal(t, uint8(4), now.Pool.Size, "the flag before the document")
	require.Equal(t, map[string]string{"a": "default", "b": "document"}, now.Labels)

	require.NoError(t, srv.Set(path, []byte(`{}`)))
	wait(t, "the document", updates)
	require.Equal(t, map[string]string{"a": "default"}, v.Load().Labels, "the default is as it was")

	// What is written is not what flags and environment of this process say.
	_, err := v.Update(bounded(t), func(s server) (server, error) { s.Addr = ":81"; return s, nil })
	require.NoError(t, err)
	require.JSONEq(t, `{"addr": ":81", "max_conns": 1, "timeout": 1000000000, "debug": false,
		"pool": {"size": 0, "hosts": null, "since": "0001-01-01T00:00:00Z"}, "labels": {"a": "default"}}`, data(srv))
}

func TestBindingRefusesWhatCannotBe(t *testing.T) {
	_, err := config.Bind(1, "", nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = config.Bind(struct {
		A int `env:"X"`
		B int `env:"X"`
	}{}, "", nil)
	require.ErrorContains(t, err, "fields A and B are both bound to environment variable X")
	fs := flag.NewFlagSet("program", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Bool("debug", false, "")
	_, err = config.Bind(server{}, "", fs)
	require.ErrorContains(t, err, "flag -debug is defined already")

	fs = flag.NewFlagSet("program", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	_, err = config.Bind(server{}, "", fs)
	require.NoError(t, err)
	require.ErrorContains(t, fs.Parse([]string{"-max-conns", "many"}), `"many" is not a whole number`)

	t.Setenv("APP_MAX_CONNS", "many")
	_, err = config.Watch(bounded(t), connect(t, zktest.Start(t)), path, config.WithBinding(bind(t)))
	require.ErrorContains(t, err, `environment variable APP_MAX_CONNS: "many" is not a whole number`)
	_, err = config.Watch(bounded(t), connect(t, zktest.Start(t)), path, config.WithBinding(bind(t)), config.WithDefault(server{}))
	require.ErrorIs(t, err, client.ErrBadArgument)
}
