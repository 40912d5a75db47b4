package ingest

import (
	"fmt"
	"time"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// Place returns when each record of the pack happened, UTC, in whole
// milliseconds. It is a pure function: the same pack and anchor always give the
// same times, so that a repeat after a crash is the same sample.
//
// A pack with a synced clock says so itself. One without counts back from its
// sending, which the anchor of its boot ties to the wall clock: the error wraps
// safety.ErrNoData when the anchor is of another gateway or boot.
func Place(p wire.Pack, anchor state.Anchor) ([]time.Time, error) {
	times := make([]time.Time, len(p.Records))
	if p.Clock == wire.Synced {
		for i, r := range p.Records {
			times[i] = r.At.UTC()
		}
		return times, nil
	}
	if anchor.Factory != p.Factory || anchor.Gateway != p.Gateway || anchor.Boot != p.Boot || anchor.Wall.IsZero() {
		return nil, fmt.Errorf("no anchor for boot %s of %s/%s: %w", p.Boot, p.Factory, p.Gateway, safety.ErrNoData)
	}
	// In milliseconds: a Duration ends after 292 years.
	sent := anchor.Wall.UnixMilli() + p.Mono - anchor.Mono
	for i, r := range p.Records {
		times[i] = time.UnixMilli(sent + r.Offset.Milliseconds()).UTC()
	}
	return times, nil
}

// provisional is the anchor of a boot that has none: what arrives now was sent
// now. It is too late by the time that the pack was under way.
func provisional(p wire.Pack, now time.Time) state.Anchor {
	return state.Anchor{
		Factory: p.Factory, Gateway: p.Gateway, Boot: p.Boot, ID: "provisional-" + p.Boot,
		Mono: p.Mono, Wall: now.UTC().Truncate(time.Millisecond), Provisional: true,
	}
}

// fromPack is the true anchor that a pack with a synced clock carries.
func fromPack(p wire.Pack) state.Anchor {
	id := p.Anchor
	if id == "" {
		id = "sent-" + p.Boot
	}
	return state.Anchor{Factory: p.Factory, Gateway: p.Gateway, Boot: p.Boot, ID: id, Mono: p.Mono, Wall: p.Sent}
}
