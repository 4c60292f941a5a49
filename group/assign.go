package group

import (
	"cmp"
	"container/heap"
	"hash/fnv"
	"slices"
)

// Assignment says whose each partition is. It is given the partitions and the members' ids, both sorted
// and each once, at least one of each, and returns, for each partition in its place, the index of a member. It must be a pure
// function: members that compute differently would wait for each other.
type Assignment func(partitions, members []string) []int

// Balanced is the default: numbers of partitions that differ by one at most, and little that moves when
// members come and go. Each pair of partition and member has a weight, a hash of both (rendezvous
// hashing); the heaviest pairs win, as long as the member has room. The same members give the same
// division, whatever was before. When a member leaves or joins its share has to move; beside it moves what
// keeps the numbers equal, at most about as much again: of 600 partitions, when one of 3 members leaves 205
// instead of 200, of 10 members 73 instead of 60, of 30 members 39 instead of 20. It takes time in
// proportion to partitions times members: for 10,000 and 100 some 60 ms.
func Balanced(partitions, members []string) []int {
	return bounded(partitions, members, len(partitions)/len(members), len(partitions)%len(members))
}

// Rendezvous is rendezvous hashing without bounds: nothing moves but what belongs to the member
// that leaves, or comes to the one that joins. How many partitions a member has is left to chance.
func Rendezvous(partitions, members []string) []int {
	return bounded(partitions, members, len(partitions), 0)
}

// Strided is the division of Kazoo's SetPartitioner: the members take turns along the sorted partitions. Most
// of them move whenever a member comes or goes.
func Strided(partitions, members []string) []int {
	owners := make([]int, len(partitions))
	for i := range owners {
		owners[i] = i % len(members)
	}
	return owners
}

// bounded gives each partition to the member of the greatest weight that has room: for room partitions
// each, and for one more as long as there are extras.
func bounded(partitions, members []string, room, extras int) []int {
	b := &bids{members: hashes(members), names: members}
	owners := make([]int, len(partitions))
	load := make([]int, len(members))
	full := func(m int) bool { return load[m] > room || load[m] == room && extras == 0 }
	for i, h := range hashes(partitions) {
		b.queue = append(b.queue, b.best(i, h, full))
	}
	heap.Init(b)
	for b.Len() > 0 {
		top := b.queue[0]
		if full(top.member) { // and will stay so
			b.queue[0] = b.best(top.partition, top.hash, full)
			heap.Fix(b, 0)
			continue
		}
		heap.Pop(b)
		if load[top.member] == room {
			extras--
		}
		load[top.member]++
		owners[top.partition] = top.member
	}
	return owners
}

// bid is the best that a partition can get.
type bid struct {
	partition int
	hash      uint64
	member    int
	weight    uint64
}

// bids is a heap of them, the greatest weight first.
type bids struct {
	members []uint64
	names   []string
	queue   []bid
}

// best is the heaviest of the members that are not full.
func (b *bids) best(partition int, hash uint64, full func(m int) bool) bid {
	top := bid{partition: partition, hash: hash, member: -1}
	for m, h := range b.members {
		if full(m) {
			continue
		}
		if w := mix(h ^ mix(hash)); top.member < 0 || w > top.weight {
			top.member, top.weight = m, w
		}
	}
	return top
}

func (b *bids) Len() int { return len(b.queue) }

func (b *bids) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(b.queue[j].weight, b.queue[i].weight), cmp.Compare(b.queue[i].partition, b.queue[j].partition)) < 0
}

func (b *bids) Swap(i, j int) { b.queue[i], b.queue[j] = b.queue[j], b.queue[i] }

// Push implements heap.Interface; nothing is pushed.
func (b *bids) Push(any) {}

// Pop implements heap.Interface.
func (b *bids) Pop() any {
	last := len(b.queue) - 1
	b.queue = b.queue[:last]
	return nil
}

func hashes(names []string) []uint64 {
	out := make([]uint64, len(names))
	for i, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		out[i] = mix(h.Sum64())
	}
	return out
}

// mix spreads the bits of x (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// distinct returns the names sorted and each once.
func distinct(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
