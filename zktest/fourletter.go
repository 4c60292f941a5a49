package zktest

import "fmt"

// fourLetter answers the administrative words that a connection may begin with.
func (s *Server) fourLetter(c *conn, word string) (string, bool) {
	switch word {
	case "ruok", "isro", "srvr", "wchs":
	default:
		return "", false
	}
	if !s.lockThawed(c) {
		return "", true
	}
	defer s.mu.Unlock()
	switch word {
	case "ruok":
		return "imok", true
	case "isro":
		return "rw", true
	case "wchs":
		total, paths, conns := s.watches.count()
		return fmt.Sprintf("%d connections watching %d paths\nTotal watches:%d\n", conns, paths, total), true
	default:
		return fmt.Sprintf("Zookeeper version: 3.9.0-zktest, built on 01/01/2026 00:00 UTC\n"+
			"Latency min/avg/max: 0/0.0/0\nReceived: %d\nSent: %d\nConnections: %d\nOutstanding: 0\n"+
			"Zxid: 0x%x\nMode: standalone\nNode count: %d\n",
			s.received, s.received, len(s.conns), s.tree.zxid, len(s.tree.nodes)), true
	}
}
