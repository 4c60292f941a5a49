package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/recipes"
)

const (
	// keptSettings is how many former versions are kept: enough for who looks now and then to see all.
	keptSettings = 24
	firstSetting = "initial"
)

// settingKeys are the documents. The last one is seldom written: a change that was missed is not put right by the next.
var settingKeys = []string{"a", "b", "c"}

// setting is what a document says.
type setting struct {
	ID   string `json:"id"`
	Base string `json:"base,omitempty"`
	Bad  bool   `json:"bad,omitempty"`
}

var errBadSetting = errors.New("the setting says that it is bad")

func (s setting) check() error {
	if s.Bad {
		return errBadSetting
	}
	return nil
}

// Config is documents that are set, updated, rolled back, spoilt and watched, each by itself and in a tree.
//
// Operations: set-document, update-document, roll-back-document, spoil-document ({key, id}). Notes: seen-document, read-document,
// own-document (about a write), and missed and settled as models.Watched has them.
func Config() *Workload {
	return &Workload{
		Name: "config",
		Doc:  "a watched document never goes back, is what somebody wrote, never a bad one, and the newest in the end; no update is lost or made twice",
		Setup: func(ctx context.Context, cl *client.Client, path string) error {
			for _, key := range settingKeys {
				data, err := json.Marshal(setting{ID: firstSetting})
				if err == nil {
					_, err = cl.Create(ctx, settingPath(path, key), data, client.WithParents())
				}
				if err != nil && !errors.Is(err, client.ErrNodeExists) {
					return err
				}
			}
			return nil
		},
		Run: func(ctx context.Context, env *Env) error {
			s := &settings{env: env}
			defer s.close()
			if err := s.open(ctx); err != nil {
				return surprise(ctx, "watch the settings", err)
			}
			err := takeTurns(ctx, env, func() error { return s.turn(ctx) })
			s.settle(ctx)
			return err
		},
		Check: func(h *history.History) []models.Violation { return models.Documents(h, firstSetting) },
		Keeps: func(string) bool { return true },
	}
}

func settingPath(path, key string) string { return path + "/settings/" + key }

// settings is one client's view of them, and its writes.
type settings struct {
	env    *Env
	n      int   // writes
	look   int64 // what it has watched with
	values []*watchedSetting
	tree   *config.Tree

	following sync.WaitGroup // of the tree
	stop      context.CancelFunc
}

// watchedSetting is one document.
type watchedSetting struct {
	key       string
	value     *config.Value[setting]
	spoiler   *config.Document[string]
	revisions []string // what could be rolled back to, each with the ID of its document behind it

	following sync.WaitGroup
}

func (s *settings) options() []config.Option[setting] {
	return []config.Option[setting]{
		config.WithDefault(setting{ID: firstSetting}), config.WithValidate(setting.check),
		config.WithHistory[setting](keptSettings), config.WithHistoryRoot[setting](s.env.Path + "/history"),
	}
}

// open starts to watch everything.
func (s *settings) open(ctx context.Context) error {
	for _, key := range settingKeys {
		path := settingPath(s.env.Path, key)
		w := &watchedSetting{key: key, spoiler: config.New(s.env.Client, path, config.WithCodec[string](recipes.Text{}),
			config.WithHistory[string](keptSettings), config.WithHistoryRoot[string](s.env.Path+"/history"))}
		if err := s.watch(ctx, w); err != nil {
			return err
		}
		s.values = append(s.values, w)
	}
	tree, err := config.WatchTree(ctx, s.env.Client, s.env.Path+"/settings", recipes.MirrorConfig{})
	if err != nil {
		return err
	}
	s.tree = tree
	s.look++
	look := s.look
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.following.Go(func() {
		for c, err := range tree.Changes(alive) {
			if err != nil || c.New == nil || c.Kind == recipes.MirrorResynced {
				continue
			}
			if key := c.New.Path[strings.LastIndexByte(c.New.Path, '/')+1:]; key != "settings" {
				s.env.Record.Note(models.SeenDocument, rawDocument(look<<8|int64(key[0]), key, c.New.Data, c.New.Stat.Version, c.New.Stat.Mzxid))
			}
		}
	})
	return nil
}

// watch starts to watch one document.
func (s *settings) watch(ctx context.Context, w *watchedSetting) error {
	value, err := config.Watch(ctx, s.env.Client, settingPath(s.env.Path, w.key), s.options()...)
	if err != nil {
		return err
	}
	w.value = value
	s.look++
	look := s.look << 8
	w.following.Go(func() {
		for _, err := range value.Updates(context.WithoutCancel(ctx)) { // until it is closed
			if errors.Is(err, client.ErrClosed) {
				return
			}
			s.env.Record.Note(models.SeenDocument, w.atHand(look))
		}
	})
	return nil
}

// atHand is what is in force.
func (w *watchedSetting) atHand(look int64) models.Document {
	now, version := w.value.Current()
	return models.Document{Look: look, Key: w.key, Number: version.Number, Zxid: version.Zxid, ID: now.ID, Base: now.Base, Bad: now.Bad || now.ID == "", Force: true}
}

// rawDocument is a document by its data.
func rawDocument(look int64, key string, data []byte, number int32, zxid int64) models.Document {
	var now setting
	if json.Unmarshal(data, &now) != nil {
		now = setting{ID: strings.TrimSuffix(string(data), "{"), Bad: true}
	}
	return models.Document{Look: look, Key: key, Number: number, Zxid: zxid, ID: now.ID, Base: now.Base, Bad: now.Bad}
}

// turn does something with one of the documents.
func (s *settings) turn(ctx context.Context) error {
	w := s.values[s.env.Rand.IntN(len(s.values)-1)]
	if s.env.Rand.Int64N(1+20*int64(max(s.env.Session, time.Second))*int64(s.env.Clients)/int64(s.env.pace())) == 0 { // once in 20 sessions
		w = s.values[len(s.values)-1]
	}
	bounded, cancel := s.env.Bounded(ctx)
	defer cancel()
	switch s.env.Rand.IntN(16) {
	case 0:
		w.value.Close()
		w.following.Wait()
		clean, cancel := Cleaning(ctx) // it is to settle in the end
		defer cancel()
		return surprise(clean, "watch a setting", s.watch(clean, w))
	case 1:
		return s.harvest(bounded, w)
	case 2:
		return s.spoil(bounded, w)
	case 3, 4:
		return s.rollBack(bounded, w)
	default:
		return s.write(bounded, w)
	}
}

// next is an ID that nothing has.
func (s *settings) next() string {
	s.n++
	return fmt.Sprintf("%s-%d", s.env.Name, s.n)
}

// write sets or updates a document.
func (s *settings) write(ctx context.Context, w *watchedSetting) error {
	args := models.DocumentWrite{Key: w.key, ID: s.next()}
	made := func(old setting) (setting, error) { return setting{ID: args.ID, Base: old.ID}, nil }
	var err error
	switch how := s.env.Rand.IntN(6); how {
	case 0: // whatever is there
		op := s.env.Record.Invoke(models.SetDocument, args)
		err = w.value.Set(ctx, setting{ID: args.ID})
		return s.wrote(ctx, w, op, err, true)
	case 1: // what is at hand, if it is still there
		op := s.env.Record.Invoke(models.UpdateDocument, args)
		old, version := w.value.Current()
		next, _ := made(old)
		err = w.value.TrySet(ctx, version, next)
		return s.wrote(ctx, w, op, err, true)
	case 2: // without a look at what is at hand
		op := s.env.Record.Invoke(models.UpdateDocument, args)
		_, err = w.value.Document.Update(ctx, made)
		return s.wrote(ctx, w, op, err, false)
	default:
		op := s.env.Record.Invoke(models.UpdateDocument, args)
		_, err = w.value.Update(ctx, made)
		return s.wrote(ctx, w, op, err, true)
	}
}

// wrote writes down what became of a write, and what is at hand then.
func (s *settings) wrote(ctx context.Context, w *watchedSetting, op *history.Pending, err error, own bool) error {
	if errors.Is(err, config.ErrBadDocument) || errors.Is(err, config.ErrNoRevision) {
		op.Fail(err)
		return nil
	}
	op.End(nil, err)
	if err == nil && own && w.value.Err() == nil {
		now := w.atHand(0)
		if ctx.Err() == nil { // else it may not have waited for it
			op.Note(s.env.Record.Now(), models.OwnDocument, now)
		}
	}
	if client.Outcome(err) == client.Unknown {
		return nil
	}
	return surprise(ctx, "write a setting", err, client.ErrBadVersion, client.ErrReadOnly)
}

// spoil writes a bad document.
func (s *settings) spoil(ctx context.Context, w *watchedSetting) error {
	args := models.DocumentWrite{Key: w.key, ID: s.next()}
	text := args.ID + "{"
	if s.env.Rand.IntN(2) == 0 {
		text = fmt.Sprintf(`{"id":%q,"bad":true}`, args.ID)
	}
	op := s.env.Record.Invoke(models.SpoilDocument, args)
	return s.wrote(ctx, w, op, w.spoiler.Set(ctx, text), false)
}

// harvest writes down former versions.
func (s *settings) harvest(ctx context.Context, w *watchedSetting) error {
	revisions, err := w.value.History(ctx)
	w.revisions = w.revisions[:0]
	for _, r := range revisions {
		doc := rawDocument(0, w.key, r.Data, r.Version.Number, r.Version.Zxid)
		s.env.Record.Note(models.ReadDocument, doc)
		if !doc.Bad {
			w.revisions = append(w.revisions, r.ID+" "+doc.ID)
		}
	}
	return surprise(ctx, "read the history", err, client.ErrReadOnly)
}

// rollBack goes back to a former version, if one is known.
func (s *settings) rollBack(ctx context.Context, w *watchedSetting) error {
	if len(w.revisions) == 0 {
		return s.harvest(ctx, w)
	}
	revision, id, _ := strings.Cut(w.revisions[s.env.Rand.IntN(len(w.revisions))], " ")
	op := s.env.Record.Invoke(models.RollBackDocument, models.DocumentWrite{Key: w.key, ID: id})
	return s.wrote(ctx, w, op, w.value.RollBack(ctx, revision), true)
}

// settle waits until what is at hand is the truth: soon nobody changes anything any more.
func (s *settings) settle(ctx context.Context) {
	ctx, cancel := Cleaning(ctx)
	defer cancel()
	for _, w := range s.values {
		_ = s.harvest(ctx, w)
	}
	settled(ctx, s.env, s.differences)
}

// settled waits until there are no differences between a view and the truth, and notes what it comes to.
func settled(ctx context.Context, env *Env, differences func(context.Context) string) {
	diff := ""
	for range 20 {
		if diff = differences(ctx); diff == "" {
			env.Record.Note(models.Settled, nil)
			return
		}
		if ctx.Err() != nil {
			break
		}
		wait(ctx, max(time.Second, env.Session/4))
	}
	env.Record.Note(models.Missed, models.Difference{Text: diff})
}

// differences compares what is at hand with what the servers say.
func (s *settings) differences(ctx context.Context) string {
	var out []string
	for _, w := range s.values {
		path := settingPath(s.env.Path, w.key)
		err := s.env.Client.Sync(ctx, path)
		var data []byte
		var stat client.Stat
		if err == nil {
			data, stat, err = s.env.Client.Get(ctx, path)
		}
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		truth := rawDocument(0, w.key, data, stat.Version, stat.Mzxid)
		s.env.Record.Note(models.ReadDocument, truth)
		have := w.atHand(0)
		switch why := w.value.Err(); {
		case truth.Bad && !errors.Is(why, config.ErrBadDocument):
			out = append(out, fmt.Sprintf("%s: %q is bad, and the error is %v", path, truth.ID, why))
		case !truth.Bad && have.Zxid != stat.Mzxid:
			out = append(out, fmt.Sprintf("%s: %s (%#x) is at hand, and the truth is %s (%#x)", path, have.ID, have.Zxid, truth.ID, stat.Mzxid))
		}
		if leaf, ok := s.tree.Get(w.key); !ok || string(leaf) != string(data) {
			out = append(out, fmt.Sprintf("%s: the tree has %q (%v), and the truth is %q", path, leaf, ok, data))
		}
	}
	return strings.Join(out, "; ")
}

func (s *settings) close() {
	for _, w := range s.values {
		w.value.Close()
		w.following.Wait()
	}
	if s.tree != nil {
		s.stop()
		s.following.Wait()
		s.tree.Close()
	}
}
