package election

import (
	"path"

	"github.com/zookit/zookit/client"
)

// Leader is the candidate that leads. The zero value is nobody.
type Leader struct {
	Candidate
	// Data is what the leader has published; nil if it has not, and without WithData.
	Data []byte

	published int64 // the transaction that wrote Data
}

// None tells whether nobody leads.
func (l Leader) None() bool { return l.Token == 0 }

// same tells whether there is nothing new in other.
func (l Leader) same(other Leader) bool {
	return l.Token == other.Token && l.published == other.published && l.ID == other.ID
}

func newLeader(node string, data []byte, stat client.Stat) Leader {
	return Leader{Candidate: Candidate{ID: string(data), Path: node, Session: stat.EphemeralOwner, Token: stat.Czxid, Since: stat.Ctime}}
}

// publish adds what was read of the leader's data: nothing if the node does not exist.
func (l *Leader) publish(data []byte, stat client.Stat) {
	if l.published = stat.Mzxid; l.published != 0 && data == nil {
		data = []byte{}
	}
	l.Data = data
}

// dataPath is where the leader with that node has its data. The name is its node's, which no other
// candidate ever has: so the data cannot be taken for that of another term, nor overwrite anything.
func (e *Election) dataPath(node string) string { return client.Join(e.dataDir, path.Base(node)) }
