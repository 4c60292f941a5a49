package resource_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/resource"
)

// A guarded resource refuses stale tokens of reads and writes, an unguarded one takes everything; both note what they did.
func TestResources(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		for _, remote := range []bool{false, true} {
			var out bytes.Buffer
			var r resource.Resource = resource.NewMemory(guarded, history.NewRecorder(&out, "laboratory", nil))
			if remote {
				server := httptest.NewServer(resource.Handler(r))
				t.Cleanup(func() {
					server.Close()
					http.DefaultClient.CloseIdleConnections()
				})
				r = resource.NewRemote(server.URL)
			}
			ctx := t.Context()
			base, err := r.Read(ctx, 5)
			require.NoError(t, err)
			require.Zero(t, base)
			write := resource.Write{Client: "c", Acquire: 7, Token: 5, Base: base}
			require.NoError(t, r.Write(ctx, write))
			base, err = r.Read(ctx, 6)
			require.NoError(t, err)
			require.EqualValues(t, 1, base)
			_, err = r.Read(ctx, 5)
			stale := r.Write(ctx, write)
			want := []resource.Effect{{Write: write, Was: 0}}
			if guarded {
				require.ErrorIs(t, err, resource.ErrStale)
				require.ErrorIs(t, stale, resource.ErrStale)
			} else {
				require.NoError(t, err)
				require.NoError(t, stale)
				want = append(want, resource.Effect{Write: write, Was: 1})
			}
			events, err := history.Read(&out)
			require.NoError(t, err)
			var got []resource.Effect
			for _, e := range history.Merge(events).Notes(resource.Written) {
				var eff resource.Effect
				require.NoError(t, e.Into(&eff))
				got = append(got, eff)
			}
			require.Equal(t, want, got)
		}
	}
}

// What cannot be read is refused, and so is what nobody serves.
func TestRemoteErrors(t *testing.T) {
	handler := resource.Handler(resource.NewMemory(true, history.NewRecorder(&bytes.Buffer{}, "laboratory", nil)))
	for _, path := range []string{"/read", "/write"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("{")))
		require.Equal(t, http.StatusBadRequest, answer.Code)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	r := resource.NewRemote(server.URL)
	_, err := r.Read(t.Context(), 1)
	require.ErrorContains(t, err, "404")
	server.Close()
	http.DefaultClient.CloseIdleConnections()
	require.Error(t, r.Write(t.Context(), resource.Write{}))
	_, err = resource.NewRemote(":").Read(t.Context(), 1)
	require.Error(t, err)
}
