package ensemble

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"

	"github.com/zookit/zookit/integration/image"
)

func TestImageThatIsNamedMustBeHad(t *testing.T) {
	e := dockerEngine(t)
	const missing = "127.0.0.1:1/zookeeper:none" // nothing listens there
	_, err := e.findImage(t.Context(), missing)
	require.ErrorContains(t, err, missing)
	require.ErrorContains(t, err, "cannot be pulled")
}

func TestImageIsAtHandAfterwards(t *testing.T) {
	e := dockerEngine(t)
	name, err := e.findImage(t.Context(), "")
	require.NoError(t, err)
	t.Logf("image %s", name)
	ok, err := image.Present(t.Context(), e.api, name)
	require.NoError(t, err)
	require.True(t, ok)
	again, err := e.findImage(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, name, again)
}

// pretend is an engine in this process whose registry behaves as told.
func pretend(t *testing.T, pull http.HandlerFunc) *containerEngine {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			w.Header().Set("Api-Version", "1.41")
		case strings.HasSuffix(r.URL.Path, "/images/create"):
			pull(w, r)
		default:
			http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
		}
	}))
	api, err := client.New(client.WithHost("tcp://" + server.Listener.Addr().String()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, api.Close())
		server.Close()
	})
	return &containerEngine{api: &testcontainers.DockerClient{Client: api}}
}

func TestPull(t *testing.T) {
	says := func(lines ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, line := range lines {
				_, _ = io.WriteString(w, line+"\n")
			}
		}
	}
	hangs := func(first string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if first != "" {
				_, _ = io.WriteString(w, first+"\n")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}
	}
	short := pullLimits{answer: 50 * time.Millisecond, whole: time.Minute}
	long := pullLimits{answer: time.Minute, whole: time.Minute}
	for name, test := range map[string]struct {
		registry http.HandlerFunc
		limits   pullLimits
		want     string
	}{
		"comes": {says(`{"status":"Pulling"}`, `{"status":"Done"}`), long, ""},
		"registry unreachable": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message":"no such host"}`, http.StatusInternalServerError)
		}, long, "no such host"},
		"breaks off":     {says(`{"status":"Pulling"}`, `{"errorDetail":{"message":"broken pipe"},"error":"broken pipe"}`), long, "broken pipe"},
		"no answer":      {hangs(""), short, "has not answered within 50ms"},
		"never complete": {hangs(`{"status":"Pulling"}`), pullLimits{answer: time.Minute, whole: 100 * time.Millisecond}, "not complete after 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			err := pretend(t, test.registry).pull(t.Context(), "zookeeper:3.9", test.limits)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}
