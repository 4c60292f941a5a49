package compatibility

// feature is something that a user of Kazoo's or Curator's client knows.
type feature struct {
	what           string
	kazoo, curator string // what it is called there; "" if it is absent
	// ours are the exported names that do it, such as "client.WithTLS"; none if it is
	// absent here, which note explains then.
	ours []string
	note string
}

// section is a group of features.
type section struct {
	title    string
	features []feature
}

var sections = []section{
	{"Connecting", []feature{
		{"list of servers with a chroot", "`hosts`", "connect string", []string{"client.Connect"}, ""},
		{"create the chroot", "", "namespace", []string{"client.WithCreateChroot"}, ""},
		{"names resolved anew at each round of dials", "yes", "via ZooKeeper's client", []string{"client.Connect"}, "unresolvable ones are skipped"},
		{"servers tried in random order", "`randomize_hosts`", "via ZooKeeper's client", []string{"client.Connect"}, "always"},
		{"session timeout", "`timeout`", "`sessionTimeoutMs`", []string{"client.WithSessionTimeout"}, ""},
		{"wait for the first connection", "`start(timeout)`", "`connectionTimeoutMs`, `blockUntilConnected`", []string{"client.WithConnectTimeout", "client.Client.Session"}, ""},
		{"own sockets", "handlers", "`zookeeperFactory`", []string{"client.WithDialer"}, ""},
		{"TLS, client certificates, SNI", "`use_ssl`, `certfile`, `ca`", "`zkClientConfig`", []string{"client.WithTLS"}, "host names are checked unless the configuration says otherwise"},
		{"change the list of servers at run time", "`set_hosts`", "`ensembleProvider`", []string{"client.Client.SetServers"}, ""},
		{"track the ensemble's configuration", "", "`ensembleTracker`", []string{"client.WithEnsembleTracking"}, "off by default, and the given list stays the last resort"},
		{"logging", "`logger`", "slf4j", []string{"client.WithLogger"}, ""},
		{"close when idle", "", "`buildTemp`", nil, "absent: an idle client costs one connection"},
	}},
	{"Sessions and states", []feature{
		{"states", "`KazooState`", "`ConnectionState`", []string{"client.State", "client.Client.State"}, ""},
		{"listeners", "`add_listener`", "`ConnectionStateListener`", []string{"client.Client.States"}, "an iterator: none is missed, none blocks the client"},
		{"the session's end known without a server", "", "client timer", []string{"client.Session.ValidUntil"}, "counted from the send time of the newest answered request"},
		{"the end as a context", "", "", []string{"client.Session.Context"}, ""},
		{"what is held confirmed by a quorum", "", "", []string{"client.Session.Hold", "client.Session.ConfirmedUntil"}, ""},
		{"resume a session by id and password", "`client_id`", "", []string{"client.WithSession", "client.NewSessionHandle"}, "of two holders one is refused"},
		{"leave a session open for the next process", "", "", []string{"client.Client.Detach"}, ""},
		{"read-only mode", "`read_only`", "`canBeReadOnly`", []string{"client.WithReadOnly", "client.ReadOnly"}, ""},
		{"circuit breaker", "", "`CircuitBreakingConnectionStateListener`", []string{"client.NewBreaker"}, ""},
		{"restart a stopped client", "`restart`", "", nil, "absent: connect anew"},
	}},
	{"Operations", []feature{
		{"create, with all seven kinds of nodes", "no containers, no TTL", "`create`", []string{"client.Ops.Create", "client.WithMode", "client.WithTTL"}, ""},
		{"parents made, as containers if wanted", "`makepath`", "`creatingParentContainersIfNeeded`", []string{"client.WithParents", "client.WithContainerParents"}, ""},
		{"create that survives a lost reply", "in the lock only", "`withProtection`", []string{"client.WithProtection"}, ""},
		{"create or set, whichever fits", "", "`orSetData`", nil, "absent: a create, and a set if it says that the node exists"},
		{"get, set, delete, exists, children", "yes", "yes", []string{"client.Ops.Get", "client.Ops.Set", "client.Ops.Delete", "client.Ops.Exists", "client.Ops.Children"}, ""},
		{"delete with descendants", "`recursive`", "`deletingChildrenIfNeeded`", []string{"client.Ops.DeleteAll"}, ""},
		{"delete that goes on in the background", "", "`guaranteed`", []string{"client.Session.Cleanup"}, ""},
		{"idempotent create, set, delete", "", "`idempotent`", []string{"client.Ops.Idempotent"}, ""},
		{"ACLs read and set", "`get_acls`, `set_acls`", "`getACL`, `setACL`", []string{"client.Ops.GetACL", "client.Ops.SetACL"}, ""},
		{"sync", "`sync`", "`sync`", []string{"client.Ops.Sync"}, ""},
		{"transactions", "`transaction`", "`transaction().forOperations`", []string{"client.Ops.Txn", "client.TxnError"}, "an operation that fails is an error, with its index"},
		{"transaction whose lost reply is resolved", "", "", []string{"client.Txn.WithMarker"}, ""},
		{"reads in one request", "", "", []string{"client.Ops.MultiRead"}, ""},
		{"asynchronous operations", "`…_async`", "`inBackground`, x-async", []string{"client.Ops.Batch"}, "many in one flight; a single one is a goroutine's call"},
		{"ephemeral nodes of the session", "", "", []string{"client.Ops.Ephemerals"}, ""},
		{"number of descendants", "", "", []string{"client.Ops.AllChildrenNumber"}, ""},
		{"who the server takes one for", "", "", []string{"client.Ops.WhoAmI"}, ""},
		{"reconfiguration", "`reconfig`", "`reconfig`", []string{"client.Client.Reconfig"}, ""},
		{"the ensemble's configuration", "", "`getConfig`", []string{"client.Client.EnsembleConfig"}, ""},
		{"paths checked", "`normpath`", "`PathUtils`", []string{"client.CheckPath", "client.Join"}, "not mended: a path with empty elements is an error"},
		{"compression", "", "`compressed`", nil, "absent: data is the caller's"},
		{"default data", "", "the local address", nil, "absent: no data is none"},
		{"schemas", "", "`schemaSet`", nil, "absent"},
	}},
	{"Watches", []feature{
		{"one-shot watches", "`watch=`", "`usingWatcher`", []string{"client.Ops.GetW", "client.Ops.ExistsW", "client.Ops.ChildrenW"}, ""},
		{"their removal, on the server too", "", "`watches().remove`", []string{"client.Watch.Remove"}, "by themselves where nobody else needs them"},
		{"persistent and recursive watches", "", "`watchers().add`", []string{"client.Client.AddWatch"}, "say when they stand again"},
		{"data watch, children watch", "`DataWatch`, `ChildrenWatch`", "caches", []string{"client.Client.AddWatch"}, ""},
		{"patient children watch, tree cache", "`PatientChildrenWatch`, `TreeCache`", "`CuratorCache`", []string{"config.WatchChildren", "recipes.StartMirror"}, "one for a node, its children or a tree"},
	}},
	{"Outcomes and retries", []feature{
		{"not sent, unknown, definite", "", "", []string{"client.Outcome"}, ""},
		{"retry policies", "`KazooRetry`", "`RetryPolicy`", []string{"client.RetryPolicy", "client.WithRetryPolicy", "client.Ops.WithRetry"}, "they repeat what is safe, only"},
		{"deadline of a call", "", "", []string{"client.Ops"}, "each takes a context"},
		{"operations bound to one session", "", "`SessionFailRetryLoop`", []string{"client.Session"}, ""},
	}},
	{"Security", []feature{
		{"digest identities, several", "`auth_data`, `add_auth`", "`authorization`", []string{"client.WithAuth"}, "given when connecting; presented before anything else, on each connection"},
		{"SASL DIGEST-MD5", "`sasl_options`", "JAAS", []string{"client.WithSASLDigest"}, ""},
		{"SASL GSSAPI (Kerberos)", "`sasl_options`", "JAAS", nil, "absent"},
		{"x509", "`certfile`", "`zkClientConfig`", []string{"client.WithTLS", "client.X509ACL"}, ""},
		{"helpers for ACLs", "`make_digest_acl`, …", "`Ids`", []string{"client.WorldACL", "client.AuthACL", "client.DigestACL", "client.IPACL", "client.SASLACL"}, ""},
		{"default ACL", "`default_acl`", "`aclProvider`", []string{"client.WithDefaultACL"}, ""},
		{"ACL by path", "", "`aclProvider`", []string{"client.WithACLProvider"}, ""},
	}},
	{"Seeing inside", []feature{
		{"hooks for tracing", "", "`TracerDriver`", []string{"client.WithHooks"}, ""},
		{"counters", "", "", []string{"client.Client.Stats"}, ""},
		{"OpenTelemetry, Prometheus", "", "", []string{"otel.NewHooks", "prom.New"}, "modules of their own"},
		{"four-letter words", "`command`, `server_version`", "", []string{"admin.Server.Srvr", "admin.Server.Mntr"}, "parsed; through TLS if the client's port wants it"},
		{"a server for tests", "`KazooTestHarness`", "`TestingServer`", []string{"zktest.Start"}, "without Java"},
	}},
}
