// Package config has settings that live in ZooKeeper and change while programs run.
//
//	limits, err := config.Watch(ctx, cl, "/config/limits", config.WithDefault(Limits{Max: 10}))
//	now := limits.Load() // the last good value, from memory
//	for l, err := range limits.Updates(ctx) { ... } // and each newer one
//
//	err = config.New[Limits](cl, "/config/limits").Set(ctx, Limits{Max: 20})
//
// A [Document] is one node whose data is a typed value, as JSON unless another [recipes.Codec] is given. [Watch] keeps one at
// hand. [WatchTree] does so for settings that are a node each, [WatchChildren] for names. Data is the document
// and nothing else, so that programs which use Kazoo's DataWatch, Curator's NodeCache, TreeCache or SharedValue, or
// zkCli.sh, read and write the same settings ([Raw], [Text], [Count]).
//
// # What is guaranteed
//
// A value never goes back to an older one, and the newest always arrives: after lost connections and sessions, when
// servers fail, and at a server that lags behind. Only where the servers themselves have lost their data does an older document come
// back. Values between may be skipped. A document that cannot be read or is not valid changes nothing: the last good value
// stays, and [Value.Err] and [Value.Updates] tell. When the document is deleted the default is in force, if there is one.
//
// However many Values a client has on one path, and however many range over their Updates, the server has one watch for
// them, and a change is one read.
//
// [Document.Set] and [Document.Update] compare and set. An update is made exactly once, also if replies or sessions are
// lost: each write makes a record of what it replaces, in the same transaction and under a name of its own, by which it
// is recognised. What cannot be known is reported as unknown (client.Outcome).
//
// # History
//
// What writes of this package replace is kept: the last [DefaultHistory] versions, below [DefaultHistoryRoot] and so
// out of the way of whoever watches or lists the settings, under the ACL of the document. [Document.History] shows them and
// [Document.RollBack] makes one the document again. Others' writes are in it once a write of this package has replaced them. Writers
// need the rights to list, create and delete there; see [WithHistory]. Kept versions are counted per document, and
// writers at the same moment may leave a few more until the next write.
//
// # Flags, environment, defaults
//
// [Bind] joins a struct's fields with flags and environment variables. For each field the first of these counts: the flag
// that was given, the document, the environment, the default.
//
// # What is not
//
// A value is what was true a moment ago, like everything that is read from ZooKeeper: two programs see a change at different times, and
// one that is cut off goes on with what it had. What must hold for all at once needs a lock or a transaction.
//
// A document is at most about 1 MB, and with a history the old and the new one together are. Servers before 3.6
// have no watch that lasts: there Watch and its kin return client.ErrUnimplemented, and [Document.Get] and the writes
// work. ZooKeeper tells nobody of a changed ACL, and servers since 3.8.4 do not tell who may not read a node of its changes.
package config
