package sasl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// login starts an exchange that draws the nonce given.
func login(t testing.TB, user, password, service, host, cnonce string) *Exchange {
	t.Helper()
	l, err := NewLogin(user, password)
	require.NoError(t, err)
	x := l.Start(service, host)
	require.GreaterOrEqual(t, len(x.cnonce), 22, "a nonce has at least 128 bits, not fewer")
	x.cnonce = cnonce
	return x
}

func zookeeper(t testing.TB, user, password, cnonce string) *Exchange {
	t.Helper()
	return login(t, user, password, "zookeeper", "zk-sasl-md5", cnonce)
}

// The exchanges of RFC 2831, section 4, and some that ZooKeeper 3.8 has accepted.
func TestKnownExchanges(t *testing.T) {
	java := func(nonce string) string {
		return `realm="zk-sasl-md5",nonce="` + nonce + `",charset=utf-8,algorithm=md5-sess`
	}
	for name, c := range map[string]struct {
		x         *Exchange
		challenge string
		response  string
		verdict   string
	}{
		"RFC 2831, IMAP": {
			login(t, "chris", "secret", "imap", "elwood.innosoft.com", "OA6MHXh6VqTrRk"),
			`realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`,
			`charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",` +
				`digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth`,
			"rspauth=ea40f60335c427b5527b84dbabcdfffd",
		},
		"RFC 2831, ACAP": {
			login(t, "chris", "secret", "acap", "elwood.innosoft.com", "OA9BSuZWMSpW8m"),
			`realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",qop="auth",algorithm=md5-sess,charset=utf-8`,
			`charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",nc=00000001,cnonce="OA9BSuZWMSpW8m",` +
				`digest-uri="acap/elwood.innosoft.com",response=6084c6db3fede7352c551284490fd0fc,qop=auth`,
			"rspauth=2f0b3d7c3c2e486600ef710726aa2eae",
		},
		"ZooKeeper": {
			zookeeper(t, "alice", "secret", "KS42UF2UYQVVYELHYV354V5TBT"),
			java("GlnVlsOKtNFmduZZL1ruBxUnrom9G0n2yxY7c4PV"),
			`charset=utf-8,username="alice",realm="zk-sasl-md5",nonce="GlnVlsOKtNFmduZZL1ruBxUnrom9G0n2yxY7c4PV",nc=00000001,` +
				`cnonce="KS42UF2UYQVVYELHYV354V5TBT",digest-uri="zookeeper/zk-sasl-md5",response=dab9b6850f0e59caea3160ea3d33cc5a,qop=auth`,
			"rspauth=24cfb894ca1060e57183efd31b964e94",
		},
		"ZooKeeper, user within ISO 8859-1": {
			zookeeper(t, "jürgen", "x", "U5XHVEESISOMWOIRJJTXMZ74HV"),
			java("qZn/m0cvxZb0+kvqF8aNq7QPNxEiSJtA+KevzOKV"),
			`charset=utf-8,username="jürgen",realm="zk-sasl-md5",nonce="qZn/m0cvxZb0+kvqF8aNq7QPNxEiSJtA+KevzOKV",nc=00000001,` +
				`cnonce="U5XHVEESISOMWOIRJJTXMZ74HV",digest-uri="zookeeper/zk-sasl-md5",response=6e23e3d25308a76945993462a9157896,qop=auth`,
			"rspauth=ddc9e2c180dbdda7aed617faddccb607",
		},
		"ZooKeeper, password within ISO 8859-1": {
			zookeeper(t, "bob", "pässwörd", "A7HFAL74SYPJCVZKX42ZBYKMKJ"),
			java("k4+JjNd/+jfLh6w4cD8LTHnVTq0G3/8q8U11cC3U"),
			`charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="k4+JjNd/+jfLh6w4cD8LTHnVTq0G3/8q8U11cC3U",nc=00000001,` +
				`cnonce="A7HFAL74SYPJCVZKX42ZBYKMKJ",digest-uri="zookeeper/zk-sasl-md5",response=3a4b6a239087bd4547a08fdfc8c2c44d,qop=auth`,
			"rspauth=13395b0b31379ab880f88a652b27bd7f",
		},
		"ZooKeeper, password beyond ISO 8859-1": {
			zookeeper(t, "ivan", "пароль", "ZDKKFXEORKKLV6LQU32TXYWZTK"),
			java("xb7Pfo7F93RMC7Pnh8FRUxZlW/O7K/O9XrH/+FMD"),
			`charset=utf-8,username="ivan",realm="zk-sasl-md5",nonce="xb7Pfo7F93RMC7Pnh8FRUxZlW/O7K/O9XrH/+FMD",nc=00000001,` +
				`cnonce="ZDKKFXEORKKLV6LQU32TXYWZTK",digest-uri="zookeeper/zk-sasl-md5",response=642b660dd00903d9fe0a3a356425901d,qop=auth`,
			"rspauth=40ce298c956ddf060497bc685cfd4478",
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, c.x.Verify([]byte(c.verdict)), ErrUnproven, "before the challenge nothing is proved")
			got, err := c.x.Respond([]byte(c.challenge))
			require.NoError(t, err)
			require.Equal(t, c.response, string(got))
			require.NoError(t, c.x.Verify([]byte(c.verdict)))
			// The client's own proof, sent back, proves nothing.
			_, own, _ := strings.Cut(c.response, ",response=")
			require.ErrorIs(t, c.x.Verify([]byte("rspauth="+own[:32])), ErrUnproven)
		})
	}
}

func TestVerify(t *testing.T) {
	const proof = "24cfb894ca1060e57183efd31b964e94"
	x := zookeeper(t, "alice", "secret", "KS42UF2UYQVVYELHYV354V5TBT")
	_, err := x.Respond([]byte(`realm="zk-sasl-md5",nonce="GlnVlsOKtNFmduZZL1ruBxUnrom9G0n2yxY7c4PV",charset=utf-8,algorithm=md5-sess`))
	require.NoError(t, err)
	for verdict, want := range map[string]error{
		"rspauth=" + proof:                       nil,
		`rspauth="` + proof + `"`:                nil,
		"more=x , RSPAUTH = " + proof:            nil,
		"rspauth=" + proof[:31]:                  ErrUnproven,
		"rspauth=" + proof + "0":                 ErrUnproven,
		"rspauth=" + strings.ToUpper(proof):      ErrUnproven,
		`rspauth=""`:                             ErrUnproven,
		"":                                       ErrMalformed,
		"rspauth":                                ErrMalformed,
		"rspauth=":                               ErrMalformed,
		"other=" + proof:                         ErrMalformed,
		"rspauth=" + proof + ",rspauth=" + proof: ErrMalformed,
	} {
		require.ErrorIs(t, x.Verify([]byte(verdict)), want, "%q", verdict)
	}
}

// A server that does not take UTF-8 gets ISO 8859-1, or nothing.
func TestWithoutUTF8(t *testing.T) {
	const challenge = `realm="r",nonce="n",algorithm=md5-sess`
	got, err := zookeeper(t, "jürgen", "pässwörd", "c").Respond([]byte(challenge))
	require.NoError(t, err)
	require.Contains(t, string(got), "username=\"j\xfcrgen\",")
	require.NotContains(t, string(got), "charset")
	for _, who := range [][2]string{{"иван", "x"}, {"x", "пароль"}} {
		_, err := zookeeper(t, who[0], who[1], "c").Respond([]byte(challenge))
		require.ErrorIs(t, err, ErrUnsupported)
		require.NotContains(t, err.Error(), "пароль")
	}
}

// What the server and the user name need quoting for is quoted.
func TestQuoting(t *testing.T) {
	x := zookeeper(t, `a"b\c`, "secret", "c")
	got, err := x.Respond([]byte(`realm="r\"\\",nonce="\n\"",algorithm=md5-sess,charset=utf-8`))
	require.NoError(t, err)
	require.Contains(t, string(got), `username="a\"b\\c",realm="r\"\\",nonce="n\"",`)
	all, err := parseDirectives(got)
	require.NoError(t, err)
	require.Equal(t, []byte(`a"b\c`), all[1].value)
	require.Equal(t, []byte(`r"\`), all[2].value)
}

// The first realm counts, and where there is none the response has none.
func TestRealms(t *testing.T) {
	for challenge, want := range map[string]string{
		`nonce="n",algorithm=md5-sess,realm="a",realm="b"`: `username="u",realm="a",nonce`,
		`nonce="n",algorithm=md5-sess`:                     `username="u",nonce`,
		`nonce="n",algorithm=md5-sess,realm=""`:            `username="u",realm="",nonce`,
	} {
		got, err := zookeeper(t, "u", "p", "c").Respond([]byte(challenge))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(got), want), "%s", got)
	}
}

func TestLongResponseIsRefused(t *testing.T) {
	const rest = `nonce="n",algorithm=md5-sess,realm="`
	realm := strings.Repeat(`\"`, (maxMessage-1-len(rest)-1)/2)
	x := zookeeper(t, strings.Repeat(`"`, maxName), "p", "c")
	_, err := x.Respond([]byte(rest + realm + `"`))
	require.ErrorIs(t, err, ErrUnsupported)
	require.ErrorContains(t, err, "the limit is 4095")
}

// No nonce is used twice.
func TestEachExchangeHasItsNonce(t *testing.T) {
	l, err := NewLogin("u", "p")
	require.NoError(t, err)
	first, second := l.Start("s", "h"), l.Start("s", "h")
	require.NotEqual(t, first.cnonce, second.cnonce)
}

// Whatever a server sends: no panic, and an answer that keeps to the rules or an
// error that says which it broke.
func FuzzExchange(f *testing.F) {
	for _, challenge := range []string{
		`realm="zk-sasl-md5",nonce="GlnVlsOKtNFmduZZL1ruBxUnrom9G0n2yxY7c4PV",charset=utf-8,algorithm=md5-sess`,
		`realm="a",realm="b",nonce="\"\\",qop="auth , auth-int",maxbuf=1,stale=true,algorithm=md5-sess`,
		`nonce="`, `nonce="\`, `,,=`, "nonce=\"\x00\"", `a=b c`, "\x00", "rspauth=24cfb894ca1060e57183efd31b964e94",
	} {
		f.Add([]byte(challenge), []byte("rspauth=24cfb894ca1060e57183efd31b964e94"))
	}
	start := *zookeeper(f, "alice", "pass\"w\\örd", "KS42UF2UYQVVYELHYV354V5TBT")
	f.Fuzz(func(t *testing.T, challenge, verdict []byte) {
		x := start
		response, err := x.Respond(challenge)
		if err != nil {
			require.True(t, isOurs(err), "%v", err)
			require.NotContains(t, err.Error(), "pass\"w\\örd")
		} else {
			require.Less(t, len(response), maxResponse)
			for _, b := range response {
				require.True(t, b >= ' ' && b != 0x7f, "control character in %q", response)
			}
			if len(response) < maxMessage {
				all, err := parseDirectives(response)
				require.NoError(t, err, "%q", response)
				asked, err := parseChallenge(challenge)
				require.NoError(t, err)
				nonce, _, err := single(all, "nonce")
				require.NoError(t, err)
				require.Equal(t, asked.nonce, nonce)
			}
		}
		if err := x.Verify(verdict); err == nil {
			require.Contains(t, string(verdict), x.proof)
			require.NotEmpty(t, x.proof)
		} else {
			require.True(t, isOurs(err), "%v", err)
		}
	})
}
