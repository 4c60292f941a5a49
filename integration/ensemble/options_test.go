package ensemble

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDefaults(t *testing.T) {
	o, err := newOptions(3, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"tickTime":               "500",
		"initLimit":              "10",
		"syncLimit":              "4",
		"minSessionTimeout":      "1000",
		"maxSessionTimeout":      "60000",
		"maxClientCnxns":         "0",
		"admin.enableServer":     "false",
		"4lw.commands.whitelist": "*",
		"extendedTypesEnabled":   "true",
		"forceSync":              "no",
	}, o.spec.settings())
	require.Empty(t, o.spec.explicit)
	require.False(t, o.spec.peerCuts)
}

func TestOptions(t *testing.T) {
	o, err := newOptions(3, []Option{
		WithProvider("jvm"), WithTickTime(2 * time.Second), WithSyncLimit(5), WithInitLimit(7),
		WithSessionTimeouts(4*time.Second, 40*time.Second), WithPeerCuts(),
		WithConfig("forceSync", "yes"), WithConfig("reconfigEnabled", "true"),
		WithFile("jaas.conf", []byte("x")), WithJVMFlags("-Da=b", "-Dc="+FilesDir+"/jaas.conf"),
	})
	require.NoError(t, err)
	require.Equal(t, "jvm", o.provider)
	require.True(t, o.spec.peerCuts)
	got := o.spec.settings()
	for key, want := range map[string]string{
		"tickTime": "2000", "syncLimit": "5", "initLimit": "7", "minSessionTimeout": "4000",
		"maxSessionTimeout": "40000", "forceSync": "yes", "reconfigEnabled": "true",
	} {
		require.Equal(t, want, got[key], key)
	}
	require.Equal(t, []string{"tickTime", "syncLimit", "initLimit", "minSessionTimeout", "maxSessionTimeout",
		"peer cuts", "forceSync", "reconfigEnabled", "file jaas.conf", "-Da=b", "-Dc={files}/jaas.conf"}, o.spec.explicit)
	require.Equal(t, map[string][]byte{"jaas.conf": []byte("x")}, o.spec.files)
}

func TestBadOptions(t *testing.T) {
	for name, test := range map[string]struct {
		servers int
		option  Option
		want    string
	}{
		"no servers":       {0, WithSyncLimit(1), "0 servers"},
		"too many servers": {6, WithSyncLimit(1), "6 servers"},
		"tick":             {1, WithTickTime(0), "tickTime is 0s"},
		"part of a ms":     {1, WithTickTime(1500 * time.Microsecond), "tickTime is 1.5ms"},
		"sync limit":       {1, WithSyncLimit(0), "syncLimit is 0"},
		"init limit":       {1, WithInitLimit(-1), "initLimit is -1"},
		"timeouts":         {1, WithSessionTimeouts(2*time.Second, time.Second), "longer than the longest"},
		"empty key":        {1, WithConfig("", "x"), `"" is no key`},
		"key with equals":  {1, WithConfig("a=b", "x"), `"a=b" is no key`},
		"two lines":        {1, WithConfig("a", "x\ny=z"), "more than one line"},
		"TLS port":         {1, WithConfig("secureClientPort", "1"), "secureClientPort belongs to the ensemble"},
		"own key":          {1, WithConfig("dataDir", "/"), "dataDir belongs to the ensemble"},
		"no flag":          {1, WithJVMFlags("Main"), `"Main" is no argument for Java`},
		"two flags in one": {1, WithJVMFlags("-Da=b -Dc=d"), "has no spaces"},
		"file in a folder": {1, WithFile("a/b", nil), `"a/b" is no name for a file`},
		"hidden file":      {1, WithFile("..", nil), `".." is no name for a file`},
		"nameless file":    {1, WithFile("", nil), `"" is no name for a file`},
		"server list":      {1, WithConfig("server.1", "x"), "server.1 belongs to the ensemble"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), test.servers, test.option)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// Each provider keeps the caller's files elsewhere; one spec serves several tries.
func TestFilesDir(t *testing.T) {
	o, err := newOptions(1, []Option{
		WithConfig("ssl.keyStore.location", FilesDir+"/a.pem"), WithConfig("plain", "x"),
		WithJVMFlags("-Dy=z", "-Dx="+FilesDir+"/jaas.conf"),
	})
	require.NoError(t, err)
	for _, folder := range []string{"/first", "/second"} {
		s := o.spec.inFolder(folder)
		require.Equal(t, map[string]string{"ssl.keyStore.location": folder + "/a.pem", "plain": "x"}, s.config)
		require.Equal(t, []string{"-Dy=z", "-Dx=" + folder + "/jaas.conf"}, s.jvmFlags)
	}
}
