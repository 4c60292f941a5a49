package mutants

// shared are those of what all see: configuration, members, and what is divided among them.
func shared() []Mutant {
	return []Mutant{
		{
			Name:     "update-not-compared",
			Doc:      "an update replaces whatever is there by now (Curator's SharedCount.setCount)",
			Workload: "config",
			Edits: []Edit{
				{
					File: "config/write.go",
					Old:  "txn.Set(d.path, data, s.stat.Version)",
					New:  "txn.Set(d.path, data, client.AnyVersion)",
				},
			},
		},
		{
			Name:     "bad-document-in-force",
			Doc:      "what comes of a bad document replaces what was in force",
			Workload: "config",
			Edits: []Edit{
				{
					File: "config/value.go",
					Old:  "s.fault++\n\t\t\treturn\n\t\t}\n\t\ts.value, s.version = value, version",
					New:  "s.fault++\n\t\t}\n\t\ts.value, s.version = value, version",
				},
			},
		},
		{
			Name:     "mirror-not-read-again",
			Doc:      "who watches does not read again after the watch was away (kazoo#282, Curator's caches)",
			Workload: "config",
			Edits: []Edit{
				{
					File: "recipes/mirrorloop.go",
					Old:  "l.current, l.confirmed, l.doubt = false, false, false\n\t\tl.rebuild()",
					New:  "l.current, l.confirmed, l.doubt = false, false, false\n\t\tif l.resyncs == 1 {\n\t\t\tl.rebuild()\n\t\t}",
				},
			},
		},
		{
			Name:     "node-not-made-again",
			Doc:      "a member is one until its session is lost, and then never again (Kazoo's Party)",
			Workload: "members",
			Edits: []Edit{
				{
					File: "recipes/nodekeep.go",
					Old:  "n.change(NodeChange{State: NodeMissing, Err: err})\n\t}\n}\n\n// keepIn",
					New:  "n.change(NodeChange{State: NodeMissing, Err: err})\n\t\t<-n.ctx.Done()\n\t}\n}\n\n// keepIn",
				},
			},
		},
		{
			Name:     "deletions-not-heeded",
			Doc:      "who watches does not take out who has left",
			Workload: "members",
			Edits: []Edit{
				{
					File: "recipes/mirrorloop.go",
					Old:  "l.deleted(ev.Path)",
					New:  "_ = l.deleted",
				},
			},
		},
		{
			Name:     "data-of-the-first-session",
			Doc:      "a node that is made again holds what it held at first",
			Workload: "members",
			Edits: []Edit{
				{
					File: "recipes/nodekeep.go",
					Old:  "made, err := s.Idempotent().Create(n.ctx, n.path, data, n.options(parents)...)",
					New:  "made, err := s.Idempotent().Create(n.ctx, n.path, n.cfg.Data, n.options(parents)...)\n\t_ = data",
				},
			},
		},
		{
			Name:     "divided-without-locks",
			Doc:      "each takes what is its own by the members that it sees, and waits for nobody",
			Workload: "partitioner",
			Edits: []Edit{
				{
					File: "group/partition.go",
					Old:  "client.Join(p.dir, locksDir), w.name)",
					New:  "client.Join(p.dir, locksDir), w.name+\"-\"+p.id)",
				},
			},
		},
		{
			Name:     "given-up-too-early",
			Doc:      "a partition is given up when its function is told to end, and not when it has ended",
			Workload: "partitioner",
			Edits: []Edit{
				{
					File: "group/partition.go",
					Old:  "defer context.AfterFunc(g.Context(), func() { cancel(context.Cause(g.Context())) })()",
					New:  "defer context.AfterFunc(g.Context(), func() { cancel(context.Cause(g.Context())) })()\n\tdefer context.AfterFunc(w.ctx, func() { _ = g.Release(context.WithoutCancel(w.ctx)) })()",
				},
			},
		},
		{
			Name:     "not-taken-again",
			Doc:      "a partition that was lost with its session is not taken again while the members are the same",
			Workload: "partitioner",
			Edits: []Edit{
				{
					File: "group/partitioning.go",
					Old:  "return w.err\n\t\t\t}\n\t\t\tr.tend()",
					New:  "return w.err\n\t\t\t}",
				},
			},
		},
	}
}
