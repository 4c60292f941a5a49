package discovery_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/discovery"
)

// spec is the template whose JSON is in many of the samples.
func spec(t testing.TB, template string) *discovery.URISpec {
	t.Helper()
	u, err := discovery.ParseURISpec(template)
	require.NoError(t, err)
	return u
}

// What Curator 5.4.0's JsonInstanceSerializer has written; integration/interop/services has it written anew.
func TestJSON(t *testing.T) {
	t.Parallel()
	full := discovery.Instance{
		Name: "svc", ID: "id-A", Address: "10.0.0.1", Port: 80, SSLPort: 443, Registered: time.UnixMilli(1),
		Payload: discovery.StringPayload("q\"b\\s/<>&'\u0001\u001f\n\t\b\f\r\u007fé\u2028😀"), URISpec: spec(t, "{scheme}://{address}:{port}/x?<>"),
	}
	const uri = `{"parts":[{"value":"scheme","variable":true},{"value":"://","variable":false},{"value":"address","variable":true},{"value":":","variable":false},{"value":"port","variable":true},{"value":"/x?<>","variable":false}]}`
	object := full
	object.Payload = json.RawMessage(`{"@class":"S$P","id":"a","metadata":{"k":"v<&>"}}`)
	bare := discovery.Instance{Name: "svc", ID: "id", Address: "h", Registered: time.UnixMilli(1700000000123), Type: discovery.Permanent}
	disabled := bare
	disabled.Disabled = true
	for _, test := range []struct {
		in   discovery.Instance
		full bool
		want string
	}{
		{full, false, `{"name":"svc","id":"id-A","address":"10.0.0.1","port":80,"sslPort":443,"payload":"q\"b\\s/<>&'\u0001\u001F\n\t\b\f\r` + "\x7fé\u2028" + `\uD83D\uDE00","registrationTimeUTC":1,"serviceType":"DYNAMIC","uriSpec":` + uri + `}`},
		{full, true, `{"name":"svc","id":"id-A","address":"10.0.0.1","port":80,"sslPort":443,"payload":"q\"b\\s/<>&'\u0001\u001F\n\t\b\f\r` + "\x7fé\u2028" + `\uD83D\uDE00","registrationTimeUTC":1,"serviceType":"DYNAMIC","uriSpec":` + uri + `,"enabled":true}`},
		{object, false, `{"name":"svc","id":"id-A","address":"10.0.0.1","port":80,"sslPort":443,"payload":{"@class":"S$P","id":"a","metadata":{"k":"v<&>"}},"registrationTimeUTC":1,"serviceType":"DYNAMIC","uriSpec":` + uri + `}`},
		{bare, false, `{"name":"svc","id":"id","address":"h","port":null,"sslPort":null,"payload":null,"registrationTimeUTC":1700000000123,"serviceType":"PERMANENT","uriSpec":null}`},
		{disabled, false, `{"name":"svc","id":"id","address":"h","port":null,"sslPort":null,"payload":null,"registrationTimeUTC":1700000000123,"serviceType":"PERMANENT","uriSpec":null,"enabled":false}`},
	} {
		data, err := discovery.Encode(test.in, test.full)
		require.NoError(t, err)
		require.Equal(t, test.want, string(data))
		back, err := discovery.Decode(data)
		require.NoError(t, err)
		again, err := discovery.Encode(back, test.full)
		require.NoError(t, err)
		require.Equal(t, test.want, string(again))
	}
	text, ok := full.Text()
	require.True(t, ok)
	require.Contains(t, text, "😀")
	_, ok = object.Text()
	require.False(t, ok)
}

func TestSpringPayload(t *testing.T) {
	t.Parallel()
	i := discovery.Instance{Payload: discovery.SpringPayload("application-1", "svc", map[string]string{"b": "2", "a": "1\""})}
	require.Equal(t, `{"@class":"org.springframework.cloud.zookeeper.discovery.ZookeeperInstance","id":"application-1","name":"svc","metadata":{"a":"1\"","b":"2"}}`, string(i.Payload)) //nolint:testifylint // byte for byte
	require.Equal(t, map[string]string{"b": "2", "a": "1\""}, i.Metadata())
	require.Nil(t, discovery.Instance{Payload: json.RawMessage(`{"metadata":{"a":"1"}}`)}.Metadata())
	require.Nil(t, discovery.Instance{}.Metadata())
	require.Equal(t, `{"@class":"org.springframework.cloud.zookeeper.discovery.ZookeeperInstance","id":"","name":"","metadata":{}}`, string(discovery.SpringPayload("", "", nil))) //nolint:testifylint // byte for byte
}

// What Curator tolerates is tolerated, with the same defaults.
func TestDecode(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]discovery.Instance{
		`{}`: {Registered: time.UnixMilli(0)},
		`{"name":"n","id":"i","enabled":false,"new":1}`:                  {Name: "n", ID: "i", Disabled: true, Registered: time.UnixMilli(0)},
		`{"name":"n","id":"i","port":"80","payload":{"x":1}}`:            {Name: "n", ID: "i", Port: 80, Payload: json.RawMessage(`{"x":1}`), Registered: time.UnixMilli(0)},
		`{"serviceType":"STATIC","payload":null,"address":null}`:         {Type: discovery.Static, Registered: time.UnixMilli(0)},
		`{"serviceType":"DYNAMIC_SEQUENTIAL","registrationTimeUTC":"9"}`: {Type: discovery.DynamicSequential, Registered: time.UnixMilli(9)},
	} {
		got, err := discovery.Decode([]byte(data))
		require.NoError(t, err, data)
		require.Equal(t, want, got, data)
	}
	for _, data := range []string{"", "10.0.0.1", "[]", `{"port":"x"}`, `{"port":-1}`, `{"port":70000}`, `{"serviceType":"NOPE"}`, `{"name":5}`, `{"port":1.5}`} {
		_, err := discovery.Decode([]byte(data))
		require.ErrorIs(t, err, discovery.ErrBadInstance, data)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*discovery.Instance){
		"no name": func(i *discovery.Instance) { i.Name = "" }, "slash": func(i *discovery.Instance) { i.ID = "a/b" }, "dots": func(i *discovery.Instance) { i.ID = ".." },
		"port": func(i *discovery.Instance) { i.Port = 65536 }, "payload": func(i *discovery.Instance) { i.Payload = json.RawMessage("text") }, "type": func(i *discovery.Instance) { i.Type = 9 },
	} {
		i := instance("a", 1)
		change(&i)
		_, err := discovery.Encode(i, false)
		require.ErrorIs(t, err, discovery.ErrBadInstance, what)
	}
}

func TestURISpec(t *testing.T) {
	t.Parallel()
	i := instance("id", 80)
	require.Empty(t, i.URI())
	for template, want := range map[string]string{
		"{scheme}://{address}:{port}": "http://10.0.0.1:80", "": "", "plain": "plain", "{ sp }": "", "{}": "", "{vip}{port}": "vip!80",
		"{name} x {id}{ssl-port}{registration-time-utc}{service-type}{open-brace}{close-brace}": "svc x id17dynamic{}",
	} {
		require.Equal(t, want, spec(t, template).Build(i, map[string]string{"vip": "vip!"}), template)
	}
	i.SSLPort, i.URISpec = 443, spec(t, "{scheme}:{ssl-port}")
	require.Equal(t, "https:443", i.URI())
	require.Equal(t, "{scheme}:{ssl-port}", i.URISpec.String())
	at, ok := i.HostPort()
	require.True(t, ok)
	require.Equal(t, "10.0.0.1:443", at)
	for _, bad := range []string{"{a", "a}b", "{a{b}}", "{"} {
		_, err := discovery.ParseURISpec(bad)
		require.ErrorIs(t, err, discovery.ErrBadURISpec, bad)
	}
}

// FuzzDecode: no node makes a panic, and what is read is written, if it can be, so that it reads the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"n","id":"i","payload":"x","uriSpec":{"parts":[{"value":"a","variable":true}]},"enabled":false}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := discovery.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, discovery.ErrBadInstance)
			return
		}
		text, err := discovery.Encode(in, false)
		if err != nil {
			require.ErrorIs(t, err, discovery.ErrBadInstance)
			return
		}
		again, err := discovery.Decode(text)
		require.NoError(t, err)
		require.Equal(t, in, again)
	})
}

// FuzzParseURISpec: a template that is taken is one.
func FuzzParseURISpec(f *testing.F) {
	f.Add("{scheme}://{address}")
	f.Fuzz(func(t *testing.T, template string) {
		if u, err := discovery.ParseURISpec(template); err == nil {
			again, err := discovery.ParseURISpec(u.String())
			require.NoError(t, err)
			require.Equal(t, u.String(), again.String())
		}
	})
}
