package forward

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

// pack puts a batch into the form in which it travels.
//
// Each record's time was fixed when it was accepted; only the moment that it is
// told relative to may differ from one sending to the next. Records of an earlier boot
// have no moment of sending on their boot's clock. Synced ones are told
// relative to the pack's newest, a true pair of both clocks. Unsynced ones are
// told relative to the newest that is known of their boot: if the server has
// to anchor that boot by the arrival of the first pack, then none of the
// boot's later records comes to lie in the future.
func (f *Forwarder) pack(x spool.Extent, b spool.Batch, stream wire.Stream) wire.Pack {
	p := wire.Pack{Factory: f.cfg.Factory, Gateway: f.cfg.Gateway, Run: x.Run, Stream: stream,
		First: b.First, Boot: x.Boot}
	for _, g := range b.Gone {
		p.Gone = append(p.Gone, wire.Gone{Span: g.Span, Reason: g.Reason})
	}
	f.date(&p, x, b.Records)
	for _, r := range b.Records {
		out := wire.Record{Reading: r.Reading}
		if p.Clock == wire.Synced {
			out.At = r.Wall
		} else {
			out.Offset = time.Duration(r.Mono-p.Mono) * time.Millisecond
		}
		if r.Transition != nil {
			out.Transition = bare(*r.Transition)
		} else if r.Reading.Quality != safety.Bad {
			out.Unit = f.cfg.Units[r.Reading.Sensor]
		}
		p.Records = append(p.Records, out)
	}
	return p
}

// date sets the pack's clocks.
func (f *Forwarder) date(p *wire.Pack, x spool.Extent, recs []spool.Record) {
	own := x.Boot == f.cfg.Boot
	p.Mono = x.Mono
	if own {
		p.Mono = f.cfg.Mono()
	}
	for _, r := range recs {
		p.Mono = max(p.Mono, r.Mono)
	}
	p.Clock = wire.Unsynced
	var anchor string
	if own {
		var now time.Time
		now, anchor = f.cfg.Wall(p.Mono)
		if len(recs) == 0 && !now.IsZero() {
			p.Clock, p.Sent, p.Anchor = wire.Synced, now, anchor
			return
		}
		p.Sent = now
		p.Anchor = anchor
	}
	if len(recs) == 0 || recs[0].Wall.IsZero() {
		p.Sent = time.Time{}
		return
	}
	p.Clock = wire.Synced
	if !x.Current {
		p.Anchor = "" // the one that these times rest on is not known any more
	}
	if p.Sent.IsZero() {
		newest := slices.MaxFunc(recs, func(a, b spool.Record) int { return a.Wall.Compare(b.Wall) })
		p.Sent, p.Mono = newest.Wall, newest.Mono
	}
}

// bare is t without what the pack and its topic say.
func bare(t safety.Transition) *safety.Transition {
	t.ID, t.Factory, t.Source, t.Run, t.Seq, t.At = 0, "", "", "", 0, time.Time{}
	return &t
}

// encode reads what s asks for and encodes it. It takes fewer records when
// they do not fit, and declares one gone that can be sent in no pack at all,
// for it would hold up the others for ever.
func (l *lane) encode(s step) (payload []byte, span safety.Span, err error) {
	for limit := l.limit; ; limit = (limit + 1) / 2 {
		b, err := l.reader.Next(s.extent.Run, s.span.From, s.span.To, limit)
		if err != nil {
			return nil, safety.Span{}, err
		}
		span := safety.Span{From: b.From, To: b.To}
		payload, err := l.f.marshal(l.f.pack(s.extent, b, l.stream))
		switch {
		case err == nil:
			return payload, span, nil
		case !errors.Is(err, safety.ErrInvalid):
			return nil, span, err
		case limit > 1:
			continue
		case len(b.Records) == 0:
			return nil, span, fmt.Errorf("gone %v cannot be sent: %w", b.Gone, err)
		}
		l.f.log.Error("record cannot be sent and is declared gone", "stream", l.stream, "run", s.extent.Run,
			"seq", b.First, "record", b.Records[0], "err", err)
		payload, err = l.f.marshal(l.f.pack(s.extent, refuse(b), l.stream))
		return payload, span, err
	}
}

// refuse declares the only record of b gone.
func refuse(b spool.Batch) spool.Batch {
	gone := append(slices.Clone(b.Gone), spool.Gone{Span: safety.Span{From: b.First, To: b.First}, Reason: wire.GoneRefused})
	slices.SortFunc(gone, func(x, y spool.Gone) int {
		if x.Span.From < y.Span.From {
			return -1
		}
		return 1
	})
	return spool.Batch{From: b.From, To: b.To, First: b.To + 1, Gone: gone}
}

func (f *Forwarder) marshal(p wire.Pack) ([]byte, error) {
	if f.cfg.CBOR {
		return wire.EncodeCBOR(p)
	}
	return wire.Encode(p)
}
