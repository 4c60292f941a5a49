package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
)

// resources are what a stack consists of.
var resources = []string{"network", "volume", "server"}

// state is the content of a stack's node: what has been done, and what is being done.
type state struct {
	Revision int `json:"revision"`
	// Applied are the ids of all updates, in their order.
	Applied []string `json:"applied"`
	// Pending is the update under way. Whoever gets the lock and finds one finishes it first.
	Pending string `json:"pending,omitempty"`
}

// resource is the content of a resource's node.
type resource struct {
	Revision int    `json:"revision"`
	Update   string `json:"update"`
}

// stack is a tree of nodes:
//
//	/stacks/<name>              state
//	/stacks/<name>/resources/*  resource
//	/stacks/<name>/lock         the lock's contenders
type stack struct {
	cl    *client.Client
	path  string
	cloud *cloud
	step  time.Duration
}

func openStack(ctx context.Context, cl *client.Client, name string, c *cloud, step time.Duration) (*stack, error) {
	s := &stack{cl: cl, path: "/stacks/" + name, cloud: c, step: step}
	if err := s.initial(ctx, s.path, state{}); err != nil {
		return nil, err
	}
	for _, r := range resources {
		if err := s.initial(ctx, s.resourcePath(r), resource{}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// initial makes a node if no other worker has.
func (s *stack) initial(ctx context.Context, path string, content any) error {
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	_, err = s.cl.Create(ctx, path, data, client.WithParents())
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	return err
}

func (s *stack) lockPath() string { return s.path + "/lock" }

func (s *stack) resourcePath(name string) string { return s.path + "/resources/" + name }

// apply applies update id, after it has finished what a former holder left.
func (s *stack) apply(ctx context.Context, held *lock.Held, id string, tl *timeline) error {
	st, version, err := s.load(ctx)
	if err != nil {
		return err
	}
	if st.Pending != "" {
		tl.add("finishes", held.Token(), st.Pending)
		if version, err = s.finish(ctx, held, &st, version, tl); err != nil {
			return err
		}
	}
	if slices.Contains(st.Applied, id) {
		return nil
	}
	st.Pending = id
	if version, err = s.store(ctx, held, st, version); err != nil {
		return err
	}
	_, err = s.finish(ctx, held, &st, version, tl)
	return err
}

// finish carries out the pending update. Each of its steps can be repeated.
func (s *stack) finish(ctx context.Context, held *lock.Held, st *state, version int32, tl *timeline) (int32, error) {
	revision := st.Revision + 1
	for _, name := range resources {
		tl.add("writes", held.Token(), name)
		<-time.After(s.step) // what the cloud takes; a real worker would give it ctx
		// The cloud is outside of ZooKeeper: the token is what protects it.
		err := s.cloud.put(cloudWrite{Token: held.Token(), Update: st.Pending, Resource: name, Revision: revision})
		if err != nil {
			return 0, err
		}
		data, err := json.Marshal(resource{Revision: revision, Update: st.Pending})
		if err != nil {
			return 0, err
		}
		// ZooKeeper refuses the write itself once the lock is gone.
		if _, err := held.Txn().Set(s.resourcePath(name), data, client.AnyVersion).Commit(ctx); err != nil {
			return 0, err
		}
	}
	st.Revision, st.Applied, st.Pending = revision, append(st.Applied, st.Pending), ""
	return s.store(ctx, held, *st, version)
}

func (s *stack) load(ctx context.Context) (state, int32, error) {
	var st state
	data, stat, err := s.cl.Get(ctx, s.path)
	if err == nil {
		err = json.Unmarshal(data, &st)
	}
	return st, stat.Version, err
}

func (s *stack) store(ctx context.Context, held *lock.Held, st state, version int32) (int32, error) {
	data, err := json.Marshal(st)
	if err != nil {
		return 0, err
	}
	results, err := held.Txn().Set(s.path, data, version).Commit(ctx)
	if err != nil {
		return 0, err
	}
	return results[0].Stat.Version, nil
}

// verify compares the stack with the cloud.
func (s *stack) verify(ctx context.Context) (string, error) {
	st, _, err := s.load(ctx)
	if err != nil {
		return "", err
	}
	c, err := s.cloud.state()
	if err != nil {
		return "", err
	}
	if st.Pending != "" {
		return "", fmt.Errorf("inconsistent: update %s is unfinished", st.Pending)
	}
	seen := map[string]bool{}
	for _, id := range st.Applied {
		if seen[id] {
			return "", fmt.Errorf("inconsistent: update %s was applied twice", id)
		}
		seen[id] = true
	}
	if len(st.Applied) != st.Revision {
		return "", fmt.Errorf("inconsistent: revision %d after %d updates", st.Revision, len(st.Applied))
	}
	for _, name := range resources {
		data, _, err := s.cl.Get(ctx, s.resourcePath(name))
		if err != nil {
			return "", err
		}
		var r resource
		if err := json.Unmarshal(data, &r); err != nil {
			return "", err
		}
		if r.Revision != st.Revision || c.Resources[name] != st.Revision {
			return "", fmt.Errorf("inconsistent: %s has revision %d in ZooKeeper and %d in the cloud, the stack %d", name, r.Revision, c.Resources[name], st.Revision)
		}
	}
	if err := verifyWrites(c.Writes); err != nil {
		return "", err
	}
	return fmt.Sprintf("stack consistent: revision %d, %d updates applied once each, %d writes to the cloud, %d refused for an old token",
		st.Revision, len(st.Applied), len(c.Writes), len(c.Refused)), nil
}

// verifyWrites checks that the cloud saw one holder after the other, and one
// revision after the other.
func verifyWrites(writes []cloudWrite) error {
	var last cloudWrite
	owner := map[int]string{}
	for _, w := range writes {
		if w.Token < last.Token {
			return fmt.Errorf("overlap: a write with token %d came after one with %d", w.Token, last.Token)
		}
		if w.Revision < last.Revision || w.Revision > last.Revision+1 {
			return fmt.Errorf("lost update: revision %d was written after %d", w.Revision, last.Revision)
		}
		if id, ok := owner[w.Revision]; ok && id != w.Update {
			return fmt.Errorf("overlap: revision %d was written for %s and for %s", w.Revision, id, w.Update)
		}
		owner[w.Revision] = w.Update
		last = w
	}
	return nil
}
