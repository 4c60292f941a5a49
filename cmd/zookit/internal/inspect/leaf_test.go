package inspect

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/recipes"
)

func TestCounters(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for layout, n := range map[counter.Layout]int64{counter.Long: -3, counter.Int: 12, counter.Text: 12345678} {
		path := "/counters/" + layout.String()
		require.NoError(t, counter.New(st.cl, path, counter.WithLayout(layout)).Set(t.Context(), n))
		r := st.look(path)
		require.Equal(t, kindCounter, r.Kind)
		require.Equal(t, layout.String(), r.Layout)
		require.Equal(t, n, *r.Value)
		require.Contains(t, r.MayBe, kindBarrier, "a node without children can be many things")
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	d := config.New[map[string]int](st.cl, "/config/limits")
	require.NoError(t, d.Set(t.Context(), map[string]int{"max": 1}))
	require.NoError(t, d.Set(t.Context(), map[string]int{"max": 2}))
	r := st.look("/config/limits")
	requireKind(t, r, kindDocument, "json", kindBarrier)
	require.Equal(t, int32(1), r.Document.Version)
	require.Equal(t, 2, r.Document.Revisions, "that there was none is one")

	text := config.New(st.cl, "/config/motd", config.WithCodec[string](recipes.Text{}))
	require.NoError(t, text.Set(t.Context(), "hello"))
	r = st.look("/config/motd")
	requireKind(t, r, kindDocument, "")
	require.Equal(t, 5, r.Document.Bytes)
}

// A barrier is any node; whoever asks has to say that it is one.
func TestBarrier(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	_, err := barrier.New(st.cl, "/gate", barrier.WithIdentifier("ops")).Create(t.Context())
	require.NoError(t, err)
	r := st.look("/gate")
	requireKind(t, r, kindNode, "", kindBarrier, kindDocument)
	q := &subject{cl: st.cl, hosts: &hosts{}, as: kindBarrier}
	r, err = q.look(t.Context(), "/gate")
	require.NoError(t, err)
	requireKind(t, r, kindBarrier, "")
	require.Equal(t, []string{"ops"}, identifiers(r.Holders))
	q.as = kindQueue
	_, err = q.look(t.Context(), "/gate")
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.Equal(t, kindNothing, st.look("/nowhere").Kind)
}

func TestGroups(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for path, want := range map[string]struct {
		opts   []group.Option
		layout string
		data   []byte
	}{
		"/groups/curator": {nil, "curator", []byte("data")},
		"/groups/party":   {[]group.Option{group.WithLayout(recipes.Kazoo)}, "kazoo", nil},
		"/groups/shallow": {[]group.Option{group.WithShallowParty()}, shallowParty, nil},
	} {
		for _, id := range []string{"a", "b"} {
			_, err := group.Join(t.Context(), st.connect(), path, id, want.data, want.opts...)
			require.NoError(t, err)
		}
		r := st.look(path)
		requireKind(t, r, kindGroup, want.layout)
		require.Equal(t, []string{"a", "b"}, identifiers(r.Members))
	}
}

func TestPartitioner(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for _, id := range []string{"m1", "m2"} {
		p := group.NewPartitioner(st.connect(), "/jobs", id, []string{"p0", "p1", "p2"})
		st.later(func(ctx context.Context) {
			_ = p.Run(ctx, func(ctx context.Context, _ *group.Partition) error {
				<-ctx.Done()
				return nil
			})
		})
	}
	r := st.until("/jobs", func(r *report) bool { return len(r.Members) == 2 && len(r.Holders) == 3 && len(r.Waiting) == 0 })
	requireKind(t, r, kindPartitions, "curator")
	require.Equal(t, []string{"m1", "m2"}, identifiers(r.Members))
	require.Equal(t, "p0", r.Holders[0].Item)
	require.Positive(t, r.Holders[0].Token)
}

func TestServices(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	d := discovery.New(st.cl, "/services")
	for _, port := range []int{8080, 8081} {
		_, err := d.Register(t.Context(), discovery.Instance{Name: "billing", Address: "10.0.0.9", Port: port})
		require.NoError(t, err)
	}
	r := st.look("/services/billing")
	requireKind(t, r, kindService, "curator")
	require.Len(t, r.Members, 2)
	require.ElementsMatch(t, []string{"10.0.0.9:8080", "10.0.0.9:8081"}, []string{r.Members[0].Address, r.Members[1].Address})
	r = st.look("/services")
	requireKind(t, r, kindDiscovery, "curator")
	require.Equal(t, []services{{Name: "billing", Instances: 2}}, r.Services)
	require.WithinDuration(t, time.Now(), st.look("/services/billing").Members[0].Since, limit)
}
