package conformance

import (
	"crypto/sha1"
	"encoding/base64"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// programsVariable says how many programs are made by chance.
const programsVariable = "ZOOKIT_CONFORMANCE_PROGRAMS"

// fewPrograms are as many as a test of everything has the time for.
const fewPrograms = 400

// TestConformanceOfPrograms: zktest goes through programs as a real server does, step by
// step: through those on which it once differed, and through others each time.
func TestConformanceOfPrograms(t *testing.T) {
	t.Parallel()
	count := fewPrograms
	if text := os.Getenv(programsVariable); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "%s=%q: give the number of programs", programsVariable, text)
		count = n
	}
	truth := startTruth(t)
	for name, p := range found {
		t.Run(name, func(t *testing.T) {
			if said := truth.compare(t, p); said != "" {
				t.Fatal(said)
			}
		})
	}
	t.Run("by chance", func(t *testing.T) { byChance(t, truth, count) })
}

func byChance(t *testing.T, truth *truth, count int) {
	t.Helper()
	seed := flag.Lookup("rapid.seed")
	if seed.Value.String() == "0" {
		require.NoError(t, seed.Value.Set(strconv.FormatUint(rand.Uint64()|1, 10)))
		defer func() { _ = seed.Value.Set("0") }() // others the next time
	}
	require.NoError(t, flag.Set("rapid.checks", strconv.Itoa(count)))
	t.Logf("%d programs; for the same again: -rapid.seed=%s", count, seed.Value)
	programs, steps, latest := 0, 0, ""
	defer func() {
		if latest != "" {
			t.Logf("the latest program with a difference, which is the shortest unless it does not always differ:\n%s", latest)
		}
		t.Logf("%d programs, %d steps", programs, steps)
	}()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Custom(drawProgram).Draw(t, "program")
		programs++
		steps += len(p)
		if said := truth.compare(t, p); said != "" {
			latest = fmt.Sprintf("%#v\n%s", p, said)
			t.FailNow()
		}
	})
}

// truth is a real server for programs, one after the other.
type truth struct {
	t       *testing.T
	addr    string
	cleaner *talk // may do everything
}

func startTruth(t *testing.T) *truth {
	t.Helper()
	sum := sha1.Sum([]byte("super:secret"))
	e := ensemble.Start(t, 1,
		ensemble.WithConfig("extendedTypesEnabled", "true"),
		ensemble.WithJVMFlags("-Dznode.container.checkIntervalMs=3600000", "-Dzookeeper.forceSync=no",
			"-Dzookeeper.DigestAuthenticationProvider.superDigest=super:"+base64.StdEncoding.EncodeToString(sum[:])))
	return &truth{t: t, addr: e.Servers()[0].Addr()}
}

// compare has a program done by the real server and by zktest, as long as both say the
// same. If they do not, it returns what both have said.
func (r *truth) compare(t tester, p program) (said string) {
	t.Helper()
	z, err := zktest.NewServer(zktest.WithContainerInterval(time.Hour))
	require.NoError(t, err)
	defer func() { require.NoError(t, z.Close()) }()
	defer r.clean(t)
	server, mock := perform(newTalk(t, r.addr)), perform(newTalk(t, z.Addr()))
	defer server.end()
	defer mock.end()
	for _, s := range p {
		want, got := server.do(s), mock.do(s)
		if !slices.Equal(want, got) {
			return "a real server says:\n" + strings.Join(server.lines, "\n") + "\nzktest says:\n" + strings.Join(mock.lines, "\n")
		}
	}
	return ""
}

// clean removes what a program has left.
func (r *truth) clean(t tester) {
	t.Helper()
	if r.cleaner == nil {
		r.cleaner = newTalk(r.t, r.addr)
		r.t.Cleanup(r.cleaner.close)
		r.cleaner.ask("super", jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte("super:secret")})
	}
	for _, name := range r.cleaner.names("super", "/") {
		if name != "zookeeper" {
			r.cleaner.wipe("super", "/"+name)
		}
	}
	r.cleaner.lines = nil
}
