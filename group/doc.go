// Package group is membership: who is there, and who does what.
//
// [Join] makes a program a member of a group, which it stays over lost connections and sessions until
// it leaves. [Members] lists who is there, [Watch] and [Observe] follow it:
//
//	member, err := group.Join(ctx, cl, "/workers", "worker-7", []byte("10.0.0.7:8080"))
//	...
//	for members, err := range group.Watch(ctx, cl, "/workers") { ... } // at once, and whenever it changes
//	...
//	err = member.Leave(ctx)
//
// A [Partitioner] divides a set of partitions over the members that run one:
//
//	p := group.NewPartitioner(cl, "/jobs", "worker-7", []string{"shard-0", "shard-1", "shard-2"})
//	err := p.Run(ctx, func(ctx context.Context, part *group.Partition) error {
//		return consume(ctx, part.Name(), part.Token()) // ctx ends when the partition is another one's
//	})
//
// Curator's GroupMember, Kazoo's Party and ShallowParty are members of the same groups, and Kazoo's
// SetPartitioner takes its share of the same partitions: see [WithLayout].
//
// # What is guaranteed
//
// A member that lives and reaches the servers is in the group, or is coming back into it: also when its session was lost, when
// somebody has deleted its node, and when replies were lost on the way. One that has left is not, once Leave has returned
// nil; one that has died is not, once the servers have ended its session. A member never takes the node of a session that is
// over for its own.
//
// A watcher never goes back in time and ends up with the newest state. A member that joins or changes its data costs
// each watcher one read, one that leaves none.
//
// A partition belongs to one member at most. Each is a [recipes.Grant]: the context that its function gets ends before another
// member can have it, whatever is cut, killed or slow, since it lives by what a quorum has committed, and not by the word of
// one server. It is given up when its function has returned, and taken only then. All partitions belong to somebody as
// soon as the members agree on who is there: those of a member that was killed, when its session is over. When members come
// and go little more moves than has to.
//
// # What is not
//
// Membership is no lock. That a member is seen does not say that it still lives, and two watchers may see
// different members for a moment; so nothing may rely on being the only one that sees something. That is what partitions are for.
//
// A function that does not return when its context ends keeps its partition from everybody. A context
// stops only code that looks at it, and none ends while a process stands still: what must not be done twice
// is fenced by [Partition.Token], which the resource compares, or by [Partition.Txn].
//
// Members that were given different partitions, or divide them differently, exclude each other nevertheless; but partitions that
// each believes to be another one's belong to nobody.
//
// A group is a list of children in one node: thousands of members are possible, but each change goes to all that watch, and a
// list must fit into a reply.
//
// # Layouts
//
// Every ephemeral child of the group's directory is a member, as the libraries count (in Party's layout those with
// __party__ in their names). Others are none, while Curator and ShallowParty count them. Members of Kazoo's are gone for good
// when their session is lost; that is Kazoo's defect. With Kazoo's SetPartitioner ids must be unique, the
// division is [Strided], and most partitions move at each change: a SetPartitioner gives up all of its own each time, and takes
// none before it can have all.
package group
