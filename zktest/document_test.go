package zktest_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// A document with anything wrong changes nothing, and the error says where and what.
func TestBadDocuments(t *testing.T) {
	s := zktest.Start(t, zktest.WithFixture(`{"/there": {"data": "x", "/child": "y"}}`))
	w := open(t, s.Addr())
	w.mustCreate("/live", jute.FlagEphemeral)
	before := s.Dump()
	for document, want := range map[string][]string{
		``:                                   {"line 1", `"/"`, "not a JSON object"},
		`"x"`:                                {"not a JSON object"},
		`[]`:                                 {"not a JSON object"},
		`{"/a": "x"`:                         {"line 1", "ends too early"},
		`{"/a": "x`:                          {"not JSON"},
		`{"/a": "x",}`:                       {"not JSON"},
		`{"/a": "x" "/b": ""}`:               {"not JSON"},
		`{"/a": ""} x`:                       {"follows the end"},
		`{"/a": ""} {}`:                      {"follows the end"},
		"{\n\n\"/a\": {\"/b\": 1}}":          {"line 3", `"/a/b"`, "want a string"},
		`{"/a": 1e999}`:                      {`"/a"`, "want a string"},
		`{"/a": null}`:                       {`"/a"`, "want a string"},
		`{"/a": ["x"]}`:                      {`"/a"`, "want a string"},
		`{"/a": {"data": null}}`:             {`"/a"`, "data null", "a string"},
		`{"/a": {"data": 1}}`:                {"data 1", "a string"},
		`{"/a": {"base64": "*"}}`:            {`"/a"`, `base64 "*"`, "padding"},
		`{"/a": {"data": "", "base64": ""}}`: {`"/a"`, "exclude each other"},
		`{"/a": {"data": "", "data": ""}}`:   {`"/a"`, `"data" is there twice`},
		`{"/a": {"Data": ""}}`:               {`"/a"`, `unknown key "Data"`, "nextSequence", "slash"},
		`{"a": ""}`:                          {`unknown key "a"`},
		`{"": ""}`:                           {`unknown key ""`},
		`{"/a": {"ephemeral": true}}`:        {`"/a"`, "no sessions"},
		`{"/a": {"container": 1}}`:           {"container 1", "true or false"},
		`{"/a": {"container": true, "ttl": "1s"}}`: {`"/a"`, "exclude each other"},
		`{"container": true}`:                      {`"/"`, "persistent"},
		`{"ttl": "1s"}`:                            {`"/"`, "persistent"},
		`{"/a": {"ttl": "0s"}}`:                    {"ttl", "from 1ms"},
		`{"/a": {"ttl": "-1s"}}`:                   {"ttl", "from 1ms"},
		`{"/a": {"ttl": "1500us"}}`:                {"ttl", "milliseconds"},
		`{"/a": {"ttl": "305420h"}}`:               {"ttl", "305419h"},
		`{"/a": {"ttl": 5}}`:                       {"ttl 5"},
		`{"/a": {"ttl": "soon"}}`:                  {`ttl "soon"`},
		`{"/a": {"acl": []}}`:                      {"acl []", "one at least"},
		`{"/a": {"acl": [null]}}`:                  {"acl [null]"},
		`{"/a": {"acl": ["world:anyone"]}}`:        {"acl"},
		`{"/a": {"acl": ["world:anyone:x"]}}`:      {"acl"},
		`{"/a": {"acl": ["world:anyone:rr"]}}`:     {"acl"},
		`{"/a": {"acl": ["digest:user:cdrwa"]}}`:   {"acl"},
		`{"/a": {"acl": ["auth::cdrwa"]}}`:         {"acl"},
		`{"/a": {"acl": ["sasl:me:cdrwa"]}}`:       {"acl"},
		`{"/a": {"acl": ["ip:1.2.3:r"]}}`:          {"acl"},
		`{"/a": {"nextSequence": 1.5}}`:            {"nextSequence 1.5", "32 bits"},
		`{"/a": {"nextSequence": 2147483648}}`:     {"nextSequence 2147483648", "32 bits"},
		`{"/a": {"nextSequence": null}}`:           {"nextSequence null"},
		`{"/a": {"data": "x", "acl": }}`:           {`"/a"`, "not JSON"},
		`{"/": ""}`:                                {"not a valid path"},
		`{"/a/": ""}`:                              {"not a valid path"},
		`{"/a//b": ""}`:                            {"not a valid path"},
		`{"/a": {"/..": ""}}`:                      {`"/a/.."`, "not a valid path"},
		"{\"/a\\u0000\": \"\"}":                    {"not a valid path"},
		`{"/zookeeper": ""}`:                       {"/zookeeper", "the server's own"},
		`{"/zookeeper/quota/x": ""}`:               {"/zookeeper/quota/x", "the server's own"},
		`{"/a": "", "/a": ""}`:                     {`"/a"`, "there twice"},
		`{"/a": {"/b/c": ""}, "/a/b": {"/c": ""}}`: {`"/a/b/c"`, "there twice"},
		"{\"/a\": \"\xff\"}":                       {"UTF-8", "base64"},
		// What only the tree tells; the nodes before it must go again.
		"{\"/a/b\": \"x\", \"/there\": \"new\",\n\"/there/child\": {\"container\": true}}": {"line 2", `"/there/child"`, "no container"},
		`{"/a": "x", "/there": {"acl": ["world:anyone:r"], "/child": {"ttl": "1s"}}}`:      {`"/there/child"`, "this TTL"},
		`{"/a": "x", "/live/child": "x"}`:                                                  {`"/live/child"`, "/live is an ephemeral"},
		`{"/a": "x", "/c": {"container": true, "nextSequence": 1}}`:                        {`"/c"`, "needs a child"},
	} {
		err := s.Load(strings.NewReader(document))
		require.Error(t, err, document)
		for _, part := range append(want, "zktest: load: ") {
			require.ErrorContains(t, err, part, document)
		}
		require.NotContains(t, err.Error(), "%!")
		require.Equal(t, before, s.Dump(), document)
	}
}

// endless is a document without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestDocumentLimits(t *testing.T) {
	s := zktest.Start(t)
	e := &endless{}
	require.ErrorContains(t, s.Load(e), "limit")
	require.Less(t, e.read, 17<<20, "no more is read than is needed to tell")

	// Short documents that would fill the memory with paths.
	long := "/" + strings.Repeat("x", 1<<18)
	for name, document := range map[string]string{
		"deep":    strings.Repeat(`{"/a":`, 100_000),
		"implied": `{"` + strings.Repeat("/a", 100_000) + `": ""}`,
		"wide":    `{"` + long + `": {` + wide(70) + `}}`,
	} {
		require.ErrorContains(t, s.Load(strings.NewReader(document)), "limit", name)
	}
	require.Empty(t, s.Dump())

	// The same tree, made otherwise, is not saved: nobody could load it.
	require.NoError(t, s.Create(long, nil))
	for i := range 70 {
		require.NoError(t, s.Create(long+"/"+strings.Repeat("y", i+1), nil))
	}
	require.ErrorContains(t, s.Save(io.Discard), "too large")
}

// wide is n nodes side by side, as the inside of an object.
func wide(n int) string {
	var out []string
	for i := range n {
		out = append(out, `"/`+strings.Repeat("y", i+1)+`": ""`)
	}
	return strings.Join(out, ", ")
}

// FuzzLoad loads any document: it is refused and changes nothing, or what it made is saved
// and loaded again as it was.
func FuzzLoad(f *testing.F) {
	for _, document := range []string{
		handwritten, `{}`, `{"/a": "x" "/b": 1e999}`, `{"/a": {"data": null, "": [[[]]]}}`, `{"/a/b/c": "\ud800", "/a": {"/b": {"ttl": "1ms"}}}`,
		`{"/c": {"container": true, "/x-0000000009": {"acl": ["ip:::1:r", "ip:10.0.0.0/8:cd"]}}}`, `{"/q": {"nextSequence": -2147483648}}`,
	} {
		f.Add(document)
	}
	start := func(t *testing.T) *zktest.Server {
		// Nothing goes by itself in between.
		return zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithContainerInterval(time.Hour))
	}
	f.Fuzz(func(t *testing.T, document string) {
		s := start(t)
		if s.Load(strings.NewReader(document)) != nil {
			require.Empty(t, s.Dump())
			require.Equal(t, "{}\n", save(t, s))
			return
		}
		var out strings.Builder
		if err := s.Save(&out); err != nil {
			require.ErrorContains(t, err, "too large")
			return
		}
		again := start(t)
		require.NoError(t, again.Load(strings.NewReader(out.String())))
		require.Equal(t, out.String(), save(t, again))
		require.Equal(t, texts(s), texts(again))
	})
}
