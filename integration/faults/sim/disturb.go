package sim

import (
	"context"
	"sync"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/zktest"
)

// disturb does the faults of the schedule, each at its time, and returns when the time for them is over, and
// all of them are.
func (r *run) disturb(ctx context.Context) {
	over, cancel := context.WithCancel(ctx)
	defer r.heal()
	var ends sync.WaitGroup
	defer ends.Wait()
	defer cancel()
	r.faulty = over
	for _, f := range r.setting.Faults {
		if !sleep(ctx.Done(), f.At-time.Duration(r.clock())) {
			return
		}
		r.nemesis.Note(history.Fault, history.Disturbance{Kind: string(f.Kind), Detail: f.String()})
		end := r.do(f)
		r.mu.Lock()
		r.counts.Faults[f.Kind]++
		r.mu.Unlock()
		if end == nil {
			continue
		}
		ends.Go(func() {
			sleep(over.Done(), f.For)
			end()
			r.nemesis.Note(history.Healed, history.Disturbance{Kind: string(f.Kind)})
		})
	}
	sleep(ctx.Done(), r.cfg.Duration-time.Duration(r.clock()))
}

// do begins a fault and returns what ends it, which is nil if nothing does. Faults overlap: what ends one may end
// another of the same door as well.
func (r *run) do(f Fault) (end func()) {
	if end, ok := r.doAll(f); ok {
		return end
	}
	if end, ok := r.doLink(f); ok {
		return end
	}
	if end, ok := r.doRequest(f); ok {
		return end
	}
	d := r.doors[f.Target]
	switch f.Kind {
	case DoorKilled:
		d.Kill()
		return func() { r.restart(d) }
	case DoorFrozen:
		d.Freeze()
		return d.Thaw
	case DoorLags:
		d.Lag()
		return d.CatchUp
	case DoorCutOff:
		d.CutOff()
		return d.Rejoin
	case DoorGivesUp:
		d.CutOff()
		return func() {
			d.Kill()
			r.restart(d)
		}
	case DoorReadOnly:
		d.CutOff()
		return func() {
			d.SetReadOnly(true)
			sleep(r.faulty.Done(), f.For)
			d.SetReadOnly(false)
			d.Rejoin()
		}
	case DoorRefuses:
		d.Refuse()
		return d.Accept
	default: // DoorDrops
		d.DropConnections()
		return nil
	}
}

// doAll does the faults of all servers.
func (r *run) doAll(f Fault) (end func(), ok bool) {
	switch f.Kind {
	case AllFrozen:
		r.server.Freeze()
		return r.server.Thaw, true
	case AllKilled:
		for _, d := range r.doors {
			d.Kill()
		}
		return func() {
			for _, d := range r.doors {
				r.restart(d)
			}
		}, true
	case AllReadOnly:
		r.server.SetReadOnly(true)
		return func() { r.server.SetReadOnly(false) }, true
	case ClockStep:
		step := time.Duration(f.Detail-500) * time.Minute
		r.server.AdvanceClock(step)
		return nil, true
	default:
		return nil, false
	}
}

// doLink does the faults of one process.
func (r *run) doLink(f Fault) (end func(), ok bool) {
	r.mu.Lock()
	p := r.current[f.Target%len(r.current)]
	r.mu.Unlock()
	l := p.link
	heal := func() { l.setHole(false, false) }
	switch f.Kind {
	case LinkCut, LinkReset:
		l.cut(f.Kind == LinkReset)
		return nil, true
	case LinkHole, SessionSilent:
		l.setHole(true, true)
		return heal, true
	case LinkHoleOut:
		l.setHole(true, false)
		return heal, true
	case LinkHoleIn:
		l.setHole(false, true)
		return heal, true
	case LinkSlow:
		l.setSlow(time.Duration(f.Detail+1) * r.setting.Session / 4000)
		return func() { l.setSlow(0) }, true
	case ProcessKilled:
		if p.dead() { // and its successor is not there yet
			return nil, true
		}
		r.nemesis.Note(history.Killed, history.Target{Process: p.name})
		p.kill()
		return func() {
			next := r.start(p.index)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.current[p.index] = next
		}, true
	default:
		return nil, false
	}
}

// doRequest does the faults of one request.
func (r *run) doRequest(f Fault) (end func(), ok bool) {
	on := matches[f.Detail%len(matches)]
	switch f.Kind {
	case RequestLost:
		r.cancels = append(r.cancels, lasting{f.Kind, r.server.DropRequest(on).Cancel})
		return nil, true
	case ReplyLost:
		r.cancels = append(r.cancels, lasting{f.Kind, r.server.SwallowReply(on).Cancel})
		return nil, true
	case ReplyHeld:
		h := r.server.HoldReply(on)
		r.cancels = append(r.cancels, lasting{f.Kind, h.Cancel})
		return func() {
			if h.Cancel() {
				r.miss(f.Kind)
			}
			h.Release()
		}, true
	default:
		return nil, false
	}
}

// matches are the requests that are lost, or whose replies are.
var matches = []zktest.Match{
	{},
	{Ops: zktest.Creates()},
	{Ops: []zktest.Op{zktest.OpDelete}},
	{Ops: []zktest.Op{zktest.OpMulti}},
	{Ops: []zktest.Op{zktest.OpSetData}},
	{Ops: []zktest.Op{zktest.OpGetData, zktest.OpExists}},
	{Ops: []zktest.Op{zktest.OpGetChildren, zktest.OpGetChildren2}},
	{Ops: []zktest.Op{zktest.OpSync}},
	{Ops: []zktest.Op{zktest.OpConnect}},
	{Ops: []zktest.Op{zktest.OpPing}},
	{Ops: []zktest.Op{zktest.OpAddWatch, zktest.OpSetWatches, zktest.OpSetWatches2, zktest.OpRemoveWatches}},
	{Ops: []zktest.Op{zktest.OpCloseSession}},
}

func (r *run) restart(d *zktest.Door) {
	if err := d.Restart(); err != nil && r.ctx.Err() == nil {
		r.fail("the laboratory works", err.Error())
	}
}

// heal ends all faults.
func (r *run) heal() {
	for _, l := range r.cancels {
		if l.cancel() {
			r.miss(l.kind)
		}
	}
	defer r.nemesis.Note(history.Healed, history.Disturbance{Kind: "all"})
	for _, d := range r.doors {
		r.restart(d)
		d.Rejoin()
		d.CatchUp()
		d.Accept()
		d.SetReadOnly(false)
		d.Thaw()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.current {
		p.link.setHole(false, false)
		p.link.setSlow(0)
	}
}

// lasting is a fault that waits for its request; cancel tells whether it still did.
type lasting struct {
	kind   Kind
	cancel func() bool
}

// miss takes back the count of a fault that did not come about.
func (r *run) miss(kind Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Faults[kind]--
}
