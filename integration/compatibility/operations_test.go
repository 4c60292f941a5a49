package compatibility

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
)

// bench is what the operations are tried on.
type bench struct {
	*client.Client
	ensemble *ensemble.Ensemble
	proxy    *faultproxy.Proxy // what the client's requests go through
}

// operation is one of the protocol's.
type operation struct {
	op    int32
	since string // the first version that has it
	ours  string // where it is called; for those that are not offered, why
	try   func(ctx context.Context, t *testing.T, b *bench)
}

// TestOperations writes the table of operations: each of them is called on a real server,
// must have been sent to it, and must do what it is for.
func TestOperations(t *testing.T) {
	e := ensemble.Start(t, 3,
		ensemble.WithConfig("reconfigEnabled", "true"),
		ensemble.WithConfig("authProvider.1", "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"),
		ensemble.WithFile("jaas.conf", []byte("Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n  user_alice=\"alice-s3cret\";\n};\n")),
		ensemble.WithJVMFlags("-Djava.security.auth.login.config="+ensemble.FilesDir+"/jaas.conf",
			"-Dzookeeper.DigestAuthenticationProvider.superDigest="+client.DigestACL(client.PermAll, "super", "s3cret").ID),
	)
	version, err := e.Version(t.Context())
	require.NoError(t, err)
	results := map[int32]string{}
	for _, o := range operations {
		if o.try == nil {
			results[o.op] = "–"
			continue
		}
		results[o.op] = "fail"
		t.Run(faultproxy.OpName(o.op), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			p := faultproxy.Start(t, e.Servers()[0].Addr())
			cl, err := client.Connect(ctx, p.Addr(),
				client.WithSASLDigest("alice", "alice-s3cret"), client.WithAuth("digest", "super:s3cret"))
			require.NoError(t, err)
			defer cl.Close()
			o.try(ctx, t, &bench{Client: cl, ensemble: e, proxy: p})
			require.True(t, slices.ContainsFunc(p.Requests(), func(r faultproxy.Request) bool { return r.Op == o.op }) || inMulti(o.op),
				"it was never sent")
			results[o.op] = "pass"
		})
	}
	replace(t, "operations", table(t, version, results))
}

// inMulti tells of an operation that exists in transactions only.
func inMulti(op int32) bool { return op == faultproxy.OpCheck }

// table merges the results of one version into the table. A version that has no column gets
// one only when the document is written: elsewhere it is enough that every operation works.
func table(t *testing.T, version string, results map[int32]string) string {
	t.Helper()
	versions, old := columns(present(t, "operations"))
	switch {
	case slices.Contains(versions, version):
	case os.Getenv(update) != "":
		versions = append(versions, version)
	default:
		t.Logf("%s has no column for ZooKeeper %s: this test makes one with %s=1", document, version, update)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| operation | code | since | in zookit | %s |\n", strings.Join(versions, " | "))
	fmt.Fprintf(&b, "|---|---|---|---|%s\n", strings.Repeat("---|", len(versions)))
	for _, o := range operations {
		name := faultproxy.OpName(o.op)
		code := fmt.Sprint(o.op)
		if o.op == faultproxy.OpConnect {
			code = "–"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |", name, code, o.since, o.ours)
		for _, v := range versions {
			result := old[v][name]
			if v == version {
				result = results[o.op]
			}
			fmt.Fprintf(&b, " %s |", dash(result))
		}
		b.WriteByte('\n')
	}
	return b.String() + "\n"
}

// columns reads the table: the versions in it, and by version and operation the results.
func columns(text string) ([]string, map[string]map[string]string) {
	var versions []string
	results := map[string]map[string]string{}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) < 5 || strings.HasPrefix(cells[0], "---") {
			continue
		}
		for i, cell := range cells[4:] {
			cell = strings.TrimSpace(cell)
			if versions == nil || len(versions) <= i {
				versions = append(versions, cell)
				results[cell] = map[string]string{}
				continue
			}
			results[versions[i]][strings.TrimSpace(cells[0])] = cell
		}
	}
	return versions, results
}

// TestVersionWithoutColumn: the document is out of date only where it says something wrong.
func TestVersionWithoutColumn(t *testing.T) {
	t.Setenv(update, "")
	was := present(t, "operations")
	require.Equal(t, was, table(t, "99.0.0", nil))
	t.Setenv(update, "1")
	versions, _ := columns(was)
	now, _ := columns(table(t, "99.0.0", map[int32]string{faultproxy.OpGetData: "pass"}))
	require.Equal(t, append(versions, "99.0.0"), now)
}
