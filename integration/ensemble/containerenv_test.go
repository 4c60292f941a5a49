package ensemble

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContainerEnv(t *testing.T) {
	o, err := newOptions(3, []Option{WithSyncLimit(7), WithConfig("reconfigEnabled", "true"), WithConfig("maxClientCnxns", "9")})
	require.NoError(t, err)
	peers := &containerNetwork{subnet: netip.MustParsePrefix("172.30.0.0/16")}
	env, err := containerEnv(o.spec, 1, peers)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"ZOO_MY_ID":                  "2",
		"ZOO_SERVERS":                "server.1=172.30.0.2:2888:3888;2181 server.2=172.30.0.3:2888:3888;2181 server.3=172.30.0.4:2888:3888;2181",
		"ZOO_TICK_TIME":              "500",
		"ZOO_INIT_LIMIT":             "10",
		"ZOO_SYNC_LIMIT":             "7",
		"ZOO_MAX_CLIENT_CNXNS":       "9",
		"ZOO_ADMINSERVER_ENABLED":    "false",
		"ZOO_4LW_COMMANDS_WHITELIST": "*",
		"ZOO_CFG_EXTRA":              "extendedTypesEnabled=true forceSync=no maxSessionTimeout=60000 minSessionTimeout=1000 reconfigEnabled=true",
		"JVMFLAGS":                   "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m -Dznode.container.checkIntervalMs=200",
	}, env)

	o.spec.config["note"] = "two words"
	_, err = containerEnv(o.spec, 1, peers)
	require.ErrorContains(t, err, `the value of note, "two words", has a space`)

	o, err = newOptions(1, nil)
	require.NoError(t, err)
	env, err = containerEnv(o.spec, 0, nil)
	require.NoError(t, err)
	require.NotContains(t, env, "ZOO_SERVERS")
}
