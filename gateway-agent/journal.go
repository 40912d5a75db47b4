package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	// waiting is how many readings may wait for a slow or broken disk before
	// the oldest are lost, and transitions in proportion to their weight.
	waitingReadings    = 20_000
	waitingTransitions = 20_000
	journalRetry       = time.Second
)

// journal carries records from the core to the spool. Adding never waits.
// Alarms go first, and wait for a disk that comes back; of readings the oldest
// are lost when too many wait, and counted.
//
// The state of the rules passes through here as well: it is kept only when the
// transitions that led to it are in the spool. The other way round, an agent
// killed in between would start with rules that think an alarm has been told.
//
// What the rules observed is kept before that state as well, for windows.
type journal struct {
	recent *recent
	keep   func(rules []byte, sync bool)
	broken func(bool)
	log    *slog.Logger
	wake   chan struct{}

	mu       sync.Mutex
	alarms   []spool.Record // guarded by mu, like what follows
	state    *content       // of the rules after all of alarms, nil = none since it was kept
	readings []spool.Record
	observed []safety.Reading // what recent has not got yet
	lost     uint64
}

func newJournal(recent *recent, keep func(rules []byte, sync bool), broken func(bool), log *slog.Logger) *journal {
	return &journal{recent: recent, keep: keep, broken: broken, log: log, wake: make(chan struct{}, 1)}
}

// rules hands over the state of the rules after all transitions added so far.
func (j *journal) rules(data []byte, sync bool) {
	j.mu.Lock()
	if j.state != nil {
		sync = sync || j.state.sync
	}
	j.state = &content{data, sync}
	j.mu.Unlock()
	j.nudge()
}

func (j *journal) reading(r spool.Record) {
	j.mu.Lock()
	j.readings = append(j.readings, r)
	j.observed = append(j.observed, r.Reading)
	j.bound()
	j.mu.Unlock()
	j.nudge()
}

func (j *journal) transitions(rs ...spool.Record) {
	j.mu.Lock()
	j.alarms = append(j.alarms, rs...)
	j.bound()
	j.mu.Unlock()
	j.nudge()
}

func (j *journal) bound() { // with mu
	if over := len(j.readings) - waitingReadings; over > 0 {
		j.readings = j.readings[over:]
		j.lost += uint64(over)
	}
	if over := len(j.observed) - waitingReadings; over > 0 {
		j.observed = j.observed[over:]
	}
	if over := len(j.alarms) - waitingTransitions; over > 0 {
		j.alarms = j.alarms[over:]
		j.lost += uint64(over)
	}
}

func (j *journal) nudge() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// run writes what was added to sp until ctx ends, and then what still waits.
func (j *journal) run(ctx context.Context, sp *spool.Spool) error {
	state := health{tell: j.broken}
	for {
		err := j.flush(sp)
		if state.report(err) {
			j.log.Error("spool changed", "failing", err != nil, "err", err, "lost", j.lostSoFar())
		}
		var retry <-chan time.Time
		if err != nil {
			retry = time.After(journalRetry)
		}
		select {
		case <-ctx.Done():
			if err := j.flush(sp); err != nil {
				j.log.Error("the last records are lost", "err", err)
			}
			return ctx.Err()
		case <-j.wake:
			if err != nil {
				<-retry // a broken disk is not asked at each reading
			}
		case <-retry:
		}
	}
}

func (j *journal) lostSoFar() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lost
}

func (j *journal) flush(sp *spool.Spool) error {
	j.mu.Lock()
	state, observed := j.state, j.observed
	j.state, j.observed = nil, nil
	j.mu.Unlock()
	if err := j.recent.add(observed); err != nil {
		j.log.Error("what a restart needs for its windows is not kept", "err", err)
	}
	err := j.drain(sp, wire.Alarms, &j.alarms)
	if state != nil {
		j.settle(*state, err == nil)
	}
	return errors.Join(err, j.drain(sp, wire.Readings, &j.readings))
}

// settle keeps a state whose transitions are in the spool, and puts back one
// whose are not.
func (j *journal) settle(state content, told bool) {
	if told {
		j.keep(state.data, state.sync)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state == nil {
		j.state = &state
	}
}

// drain appends what waits in queue. What the spool can never take is dropped
// and told; on any other error all of it waits on, in order.
func (j *journal) drain(sp *spool.Spool, stream wire.Stream, queue *[]spool.Record) error {
	j.mu.Lock()
	todo := *queue
	*queue = nil
	j.mu.Unlock()
	err := sp.Append(stream, todo...)
	if errors.Is(err, safety.ErrInvalid) {
		todo, err = j.oneByOne(sp, stream, todo)
	}
	if err == nil {
		return nil
	}
	j.mu.Lock()
	*queue = append(todo, *queue...)
	j.bound()
	j.mu.Unlock()
	return err
}

func (j *journal) oneByOne(sp *spool.Spool, stream wire.Stream, todo []spool.Record) ([]spool.Record, error) {
	for i, r := range todo {
		err := sp.Append(stream, r)
		switch {
		case errors.Is(err, safety.ErrInvalid):
			j.log.Error("record refused by the spool", "stream", string(stream), "err", err)
		case err != nil:
			return todo[i:], err
		}
	}
	return nil, nil
}
