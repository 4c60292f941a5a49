package recipes

import "fmt"

// curatorGrammar: what Curator's protected sequential creates write, and what its
// sorter reads. Curator takes the text after the last "lock-" for the sequence and
// does not look at what stands before it; hence go-zookeeper's names
// (_c_<32 hex>-lock-<number>) and Kazoo's with a "-lock-" suffix count as well.
var curatorGrammar = grammar{
	title:      "curator",
	containers: true,
	unique: func(id [16]byte) string {
		return fmt.Sprintf("_c_%x-%x-%x-%x-%x-", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
	},
	markers:  []marker{{KindMutex, "lock-"}, {KindWrite, "__WRIT__"}, {KindRead, "__READ__"}, {KindLatch, "latch-"}},
	sequence: parseSequence,
}
