package mutants

import "slices"

// All returns the planted defects.
func All() []Mutant { return slices.Concat(held(), shared()) }

// held are those of what is held, and of the client.
func held() []Mutant {
	return []Mutant{
		{
			Name:     "lost-state-ignored",
			Doc:      "nobody tells a holder that what it holds is lost (Kazoo, go-zookeeper)",
			Workload: "mutex-history",
			Edits: []Edit{{
				File: "recipes/grant.go",
				Old:  "if g.ctx.Err() != nil || !g.end(fmt.Errorf(\"%w: %s: %w\", ErrGrantLost, g.path, why)) {",
				New:  "if true || !g.end(fmt.Errorf(\"%w: %s: %w\", ErrGrantLost, g.path, why)) {",
			}},
		},
		{
			Name:     "answer-is-proof",
			Doc:      "any answer of the server counts as the quorum's, and nobody asks for the quorum's: its word is taken also when it is cut off (Kazoo, Curator, go-zookeeper)",
			Workload: "mutex-history",
			Edits: []Edit{
				{File: "client/hold.go", Old: "if s.c.set.unconfirmed {\n\t\tuntil =", New: "if true {\n\t\tuntil ="},
				{File: "client/keeper.go", Old: "len(batch) > 0 && !k.s.c.set.unconfirmed {", New: "false {"},
			},
		},
		{
			Name:     "bound-too-long",
			Doc:      "a session is believed in for half its timeout longer than it lasts, as where the clock starts when silence is noticed (CURATOR-460)",
			Workload: "mutex-history",
			Edits: []Edit{{
				File: "internal/wire/proof.go",
				Old:  "return p.confirmed.Add(p.lifetime)",
				New:  "return p.confirmed.Add(p.lifetime * 3 / 2)",
			}},
		},
		{
			Name:     "token-is-session",
			Doc:      "the token is the number of the client's session, which says nothing about others",
			Workload: "mutex-token",
			Edits: []Edit{{
				File: "recipes/ticket.go",
				Old:  "g := newGrant(ctx, t.session, hold, t.line.dir, t.path, t.token, t.since)",
				New:  "g := newGrant(ctx, t.session, hold, t.line.dir, t.path, int64(t.session.Epoch()), t.since)",
			}},
		},
		{
			Name:     "two-at-the-head",
			Doc:      "the second in line goes too",
			Workload: "mutex-unguarded",
			Edits: []Edit{{
				File: "recipes/contender.go",
				Old:  "if len(ahead) == 0 {",
				New:  "if len(ahead) < 2 {",
			}},
		},
		{
			Name:     "watch-not-set-again",
			Doc:      "a waiter whose watch went with its connection waits for it all the same (kazoo#282)",
			Workload: "mutex-history",
			Edits: []Edit{
				{File: "recipes/position.go", Old: "case ev.Type == client.EventResynced: // the connection was another for a while", New: "case false:"},
				{File: "recipes/position.go", Old: "if ev.Type != client.EventNodeDeleted {\n", New: "if ev.Type != client.EventNodeDeleted {\n<-ctx.Done()\n"},
			},
		},
		{
			Name:     "first-in-line-deleted",
			Doc:      "a release deletes whoever is first in line, without a look at whose node that is (etcd#22082)",
			Workload: "mutex-history",
			Edits: []Edit{
				{
					File: "recipes/removal.go",
					Old:  "del = func(ctx context.Context) error { return pulled(s.Delete(ctx, path, client.AnyVersion)) }",
					New: `del = func(ctx context.Context) error {
			names, _, err := s.Children(ctx, path[:strings.LastIndexByte(path, '/')])
			if err != nil || len(names) == 0 {
				return pulled(err)
			}
			slices.SortFunc(names, func(a, b string) int { return strings.Compare(a[max(0, len(a)-10):], b[max(0, len(b)-10):]) })
			return pulled(s.Delete(ctx, path[:strings.LastIndexByte(path, '/')+1]+names[0], client.AnyVersion))
		}`,
				},
				{File: "recipes/removal.go", Old: "import (\n", New: "import (\n\"slices\"\n\"strings\"\n"},
			},
		},
		{
			Name:     "place-left-behind",
			Doc:      "who gives up waiting leaves its node, which blocks everybody for as long as the session lives (kazoo#732)",
			Workload: "mutex-history",
			Edits: []Edit{{
				File: "recipes/ticket.go",
				Old:  "func (t *ticket) leave() *Removal { return Remove(t.session, t.path, nil) }",
				New:  "func (t *ticket) leave() *Removal {\n\treturn Remove(t.session, t.path, func(context.Context) error { return nil })\n}",
			}},
		},
		{
			Name:     "lost-create-repeated",
			Doc:      "a create whose reply was lost is made again without a look for what it has made (CURATOR-79)",
			Workload: "mutex-history",
			Edits: []Edit{{
				File: "client/create.go",
				Old:  "i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, cr.unique) })\n\tif i < 0 {",
				New:  "i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, cr.unique) })\n\tif i < 0 || true {",
			}},
		},
		{
			Name:     "reader-passes-writers",
			Doc:      "readers wait for nobody",
			Workload: "rwlock",
			Edits: []Edit{{
				File: "recipes/contender.go",
				Old:  "if c.Kind != KindRead {",
				New:  "if c.Kind != KindRead && false {",
			}},
		},
		{
			Name:     "permits-not-counted",
			Doc:      "permits are made without a count of those that are there",
			Workload: "semaphore",
			Edits: []Edit{
				{File: "recipes/poolview.go", Old: "return len(v.permits)+n <= v.limit", New: "return true"},
				{File: "recipes/poolpermits.go", Old: "if len(found[len(paths)].Children) > v.limit {", New: "if false {"},
			},
		},
		{
			Name:     "term-outlives-grant",
			Doc:      "a leader's term does not end with what it rests on (client-go#728)",
			Workload: "election",
			Edits: []Edit{
				{File: "election/term.go", Old: "context.WithCancelCause(g.Context())", New: "context.WithCancelCause(context.WithoutCancel(g.Context()))"},
				{File: "election/term.go", Old: "if err := t.grant.Err(); err != nil {", New: "if err := t.grant.Err(); err != nil && false {"},
			},
		},
		{
			Name:     "opened-too-early",
			Doc:      "a double barrier opens when one is missing still",
			Workload: "double-barrier",
			Edits: []Edit{
				{File: "barrier/entry.go", Old: "if len(names) < e.d.n {", New: "if len(names) < e.d.n-1 {"},
				{File: "barrier/entry.go", Old: "if len(all) < e.d.n { // foreign children", New: "if len(all) < e.d.n-1 {"},
			},
		},
		{
			Name:     "lost-set-repeated",
			Doc:      "a set whose reply was lost is sent again, though somebody else may have written meanwhile (Curator, RetryPolicy)",
			Workload: "register",
			Edits: []Edit{{
				File: "client/write.go",
				Old:  "if version == AnyVersion {\n\t\t\treturn nil, false",
				New:  "if version == AnyVersion {\n\t\t\treturn errAgain, true",
			}},
		},
		{
			Name:     "resync-swallowed",
			Doc:      "a watch that stands again does not say that something may have been missed (kazoo#282, Curator's caches)",
			Workload: "watches",
			Edits: []Edit{{
				File: "client/watcher.go",
				Old:  "func (w *Watcher) resynced() {\n",
				New:  "func (w *Watcher) resynced() {\n\tif w.synced {\n\t\treturn\n\t}\n",
			}},
		},
		{
			Name:     "lost-lease-acknowledged",
			Doc:      "to acknowledge an item that one has lost says that it was done (Kazoo, LockingQueue.consume)",
			Workload: "queue",
			Edits: []Edit{
				{File: "queue/settle.go", Old: "l.fate, l.why = lost, err\n", New: "l.fate = acked\n"},
				{File: "queue/settle.go", Old: "st.errs[i] = l.lose(err)\n", New: "st.errs[i], l.fate = nil, acked\n"},
			},
		},
		{
			Name:     "claim-not-exclusive",
			Doc:      "what keeps others out of an item has a name of its own for each of them",
			Workload: "queue",
			Edits: []Edit{{
				File: "queue/claim.go",
				Old:  "[]byte(c.cfg.owner), client.WithMode(client.Ephemeral))",
				New:  "[]byte(c.cfg.owner), client.WithMode(client.EphemeralSequential))",
			}},
		},
		{
			Name:     "lost-put-repeated",
			Doc:      "a put whose reply was lost is sent again without a look for what it has made (Curator, DistributedQueue.put)",
			Workload: "queue",
			Edits: []Edit{{
				File: "queue/lane.go",
				Old:  "open := &unsettled{lane: ln, nonce: nonce, err: err}\n",
				New:  "open := &unsettled{lane: ln, nonce: nonce, err: err}\n\tif ctx.Err() == nil {\n\t\treturn nil, p, fmt.Errorf(\"%w: %w\", errStale, err)\n\t}\n",
			}},
		},
		{
			Name:     "better-passed-over",
			Doc:      "who knows of items takes them although a better one has come since (Kazoo, Queue.get)",
			Workload: "queue",
			Edits:    []Edit{{File: "queue/stock.go", Old: "return v.checks[:better]", New: "return v.checks[:better*0]"}},
		},
		{
			Name:     "attempts-not-counted",
			Doc:      "an item that is handed out again does not say so (Curator)",
			Workload: "queue",
			Edits:    []Edit{{File: "queue/claim.go", Old: "it.header.attempts + int(number) + 1", New: "it.header.attempts + int(number)*0 + 1"}},
		},
		{
			Name:     "lost-add-repeated",
			Doc:      "an add whose reply was lost is made again (Kazoo, Counter; Curator, DistributedAtomicLong)",
			Workload: "counter",
			Edits:    []Edit{{File: "counter/attempt.go", Old: "case err == nil && done:", New: "case err == nil && done && false:"}},
		},
		{
			Name:     "add-over-changes",
			Doc:      "a sum is written without the version of what was read",
			Workload: "counter",
			Edits:    []Edit{{File: "counter/attempt.go", Old: "txn.Set(r.path, data, now.version)", New: "txn.Set(r.path, data, client.AnyVersion)"}},
		},
		{
			Name:     "lost-add-taken-for-made",
			Doc:      "an add whose reply was lost is taken for one that was made",
			Workload: "counter",
			Edits:    []Edit{{File: "counter/attempt.go", Old: "case err == nil && done:", New: "case err == nil && (done || true):"}},
		},
	}
}
