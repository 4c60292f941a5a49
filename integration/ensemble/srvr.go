package ensemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// fourLetterTimeout bounds one command, because a server may accept it and
	// never answer: a stopped one, and ZooKeeper 3.8.0 while it starts.
	fourLetterTimeout = 5 * time.Second

	// fourLetterMax bounds an answer; those of mntr and wchp are the longest.
	fourLetterMax = 16 << 20
)

// Roles of a server, as its srvr command names them.
const (
	modeLeader     = "leader"
	modeFollower   = "follower"
	modeStandalone = "standalone"
	modeReadOnly   = "read-only"
)

var errNotServing = errors.New("the server does not serve requests")

// status is what a server says of itself.
type status struct {
	mode    string
	version string

	// synced is the number of followers in step with a leader, unknown for
	// others and for a leader that does not allow mntr.
	synced int
}

const unknown = -1

var (
	modeLine     = regexp.MustCompile(`(?m)^Mode: *(\S+)`)
	versionLine  = regexp.MustCompile(`(?m)^Zookeeper version: *(\S+)`)
	versionStart = regexp.MustCompile(`^\d+(\.\d+)+`)
	watchTotal   = regexp.MustCompile(`(?m)^Total watches: *(\d+)`)
	syncedLine   = regexp.MustCompile(`(?m)^zk_synced_followers\s+(\d+)`)
)

// parseSrvr reads the answer to srvr. Only a server that serves has a mode.
func parseSrvr(answer string) (status, error) {
	mode := modeLine.FindStringSubmatch(answer)
	if mode == nil {
		return status{}, fmt.Errorf("%w: srvr answers %s", errNotServing, quote(answer))
	}
	s := status{mode: mode[1], synced: unknown}
	if v := versionLine.FindStringSubmatch(answer); v != nil {
		// Builds add all sorts of things: 3.8.0-${mvngit.commit.id}, 3.9.3-abcdef,
		s.version = versionStart.FindString(v[1])
	}
	return s, nil
}

// parseWatches reads the answer to wchs.
func parseWatches(answer string) (int, error) {
	m := watchTotal.FindStringSubmatch(answer)
	if m == nil {
		return 0, fmt.Errorf("no total in the answer to wchs: %s", quote(answer))
	}
	return strconv.Atoi(m[1])
}

// parseSynced reads the number of followers in step with the leader from its
// answer to mntr.
func parseSynced(answer string) (int, error) {
	if notWhitelisted(answer) {
		return unknown, nil
	}
	m := syncedLine.FindStringSubmatch(answer)
	if m == nil {
		return 0, fmt.Errorf("mntr of the leader does not tell of followers: %s", quote(answer))
	}
	return strconv.Atoi(m[1])
}

// notWhitelisted tells the answer to a command that the server's settings forbid.
func notWhitelisted(answer string) bool {
	return strings.Contains(answer, "not in the whitelist")
}

// probe asks a server for its status.
func probe(ctx context.Context, addr string) (status, error) {
	answer, err := fourLetter(ctx, addr, "srvr")
	if err != nil {
		return status{}, err
	}
	s, err := parseSrvr(answer)
	if err != nil || s.mode != modeLeader {
		return s, err
	}
	if answer, err = fourLetter(ctx, addr, "mntr"); err != nil {
		return status{}, err
	}
	s.synced, err = parseSynced(answer)
	return s, err
}

// fourLetter sends a four letter command and returns the whole answer.
func fourLetter(ctx context.Context, addr, word string) (string, error) {
	if len(word) != 4 {
		return "", fmt.Errorf("command %q to %s: it must have four letters", word, addr)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, fourLetterTimeout,
		fmt.Errorf("no complete answer within %v", fourLetterTimeout))
	defer cancel()
	answer, err := converse(ctx, addr, word)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("command %s to %s: %w", word, addr, err)
	}
	return answer, nil
}

func converse(ctx context.Context, addr, word string) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	if _, err := io.WriteString(conn, word); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, fourLetterMax))
	return string(answer), err
}

// quote shortens an answer for an error text.
func quote(answer string) string {
	const most = 200
	if len(answer) > most {
		return strconv.Quote(answer[:most]) + "..."
	}
	return strconv.Quote(answer)
}
