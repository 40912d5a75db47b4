package spool

import (
	"context"
	"errors"
	"time"

	"nirapod/wire"
)

const (
	syncEvery   = 10 * time.Second // what a power cut may cost of telemetry
	repairEvery = time.Second      // while the disk is full
)

// Run syncs telemetry every ten seconds and keeps the spool within its bound
// until ctx ends. Append works without it, but then nothing is synced but
// alarms.
func (s *Spool) Run(ctx context.Context) error {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	repair := time.NewTicker(repairEvery)
	defer repair.Stop()
	for {
		select {
		case <-ctx.Done():
			s.syncTelemetry()
			return ctx.Err()
		case <-tick.C:
			s.syncTelemetry()
		case <-s.upkeep:
			s.makeRoom(s.telemetryLimit() - 2*s.cfg.segment)
		case <-repair.C:
			if !s.hasSpare() && !s.restoreSpare() {
				s.shed()
			}
		}
	}
}

// syncTelemetry syncs without holding up Append.
func (s *Spool) syncTelemetry() {
	w := s.writers[wire.Readings]
	w.mu.Lock()
	f, dirty := w.file, w.dirty
	w.dirty = false
	w.mu.Unlock()
	if f == nil || !dirty {
		return
	}
	err := f.Sync()
	w.mu.Lock()
	if f != w.file {
		err = nil // sealed meanwhile, and synced by that
	}
	if err != nil {
		err = errors.Join(err, s.seal(w))
	}
	w.mu.Unlock()
	s.logFailed("telemetry is not synced", errors.Join(err, s.syncDir()))
}

func (s *Spool) wakeUpkeep() {
	select {
	case s.upkeep <- struct{}{}:
	default:
	}
}

func (s *Spool) logFailed(what string, err error) {
	if err != nil {
		s.log.Error("spool file", "what", what, "err", err)
	}
}
