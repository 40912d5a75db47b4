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
type journal struct {
	broken func(bool)
	log    *slog.Logger
	wake   chan struct{}

	mu       sync.Mutex
	alarms   []spool.Record // guarded by mu, like what follows
	readings []spool.Record
	lost     uint64
}

func newJournal(broken func(bool), log *slog.Logger) *journal {
	return &journal{broken: broken, log: log, wake: make(chan struct{}, 1)}
}

func (j *journal) reading(r spool.Record) {
	j.mu.Lock()
	j.readings = append(j.readings, r)
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
	failing := false
	for {
		err := j.flush(sp)
		if (err != nil) != failing {
			failing = err != nil
			j.broken(failing)
			j.log.Error("spool changed", "failing", failing, "err", err, "lost", j.lostSoFar())
		}
		var retry <-chan time.Time
		if err != nil {
			retry = time.After(journalRetry)
		}
		select {
		case <-ctx.Done():
			return errors.Join(j.flush(sp), ctx.Err())
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
	return errors.Join(
		j.drain(sp, wire.Alarms, &j.alarms),
		j.drain(sp, wire.Readings, &j.readings),
	)
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
