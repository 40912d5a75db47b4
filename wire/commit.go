package wire

import (
	"nirapod/safety"
)

// MaxRanges bounds the ranges of a Commit.
const MaxRanges = 32

// Commit says what is durable at the server: every record up to Upto, and
// those in Ranges. Only then may the gateway delete them. Records that the
// server refused, and declared gaps, count as durable.
type Commit struct {
	Run    string
	Stream Stream
	Upto   uint64        // 0 = none yet
	Ranges []safety.Span // above Upto, ascending, apart, at most MaxRanges
	Epoch  string        // of the server's state: a new one means that it may have forgotten
}

type commitJSON struct {
	Run    string      `json:"run"`
	Stream Stream      `json:"stream"`
	Upto   uint64      `json:"upto"`
	Ranges [][2]uint64 `json:"ranges"`
	Epoch  string      `json:"epoch"`
}

// Validate returns an error wrapping safety.ErrInvalid unless c can be sent.
func (c Commit) Validate() error {
	if err := checkRun(c.Run); err != nil {
		return err
	}
	if !c.Stream.Known() {
		return invalid("stream %q: want r or a", c.Stream)
	}
	if err := checkToken("epoch", c.Epoch); err != nil {
		return err
	}
	if c.Upto > maxSeq || len(c.Ranges) > MaxRanges {
		return invalid("upto %d and %d ranges: want at most %d and %d", c.Upto, len(c.Ranges), uint64(maxSeq), MaxRanges)
	}
	end := c.Upto
	for i, s := range c.Ranges {
		if s.From <= end || s.From > s.To || s.To > maxSeq {
			return invalid("range %d: want spans above upto, ascending and apart", i+1)
		}
		end = s.To
	}
	return nil
}

// EncodeCommit returns c as JSON, or an error wrapping safety.ErrInvalid.
func EncodeCommit(c Commit) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	j := commitJSON{c.Run, c.Stream, c.Upto, make([][2]uint64, len(c.Ranges)), c.Epoch}
	for i, s := range c.Ranges {
		j.Ranges[i] = [2]uint64{s.From, s.To}
	}
	return encodeJSON(j, MaxMessage)
}

// Validate checks the decoded form.
func (j commitJSON) Validate() error { return j.commit().Validate() }

func (j commitJSON) commit() Commit {
	c := Commit{Run: j.Run, Stream: j.Stream, Upto: j.Upto, Epoch: j.Epoch}
	for _, r := range j.Ranges {
		c.Ranges = append(c.Ranges, safety.Span{From: r[0], To: r[1]})
	}
	return c
}

// DecodeCommit reads a commit that came on topic. It returns an error wrapping
// safety.ErrInvalid if it is not valid or of another stream.
func DecodeCommit(topic Topic, payload []byte) (Commit, error) {
	j, err := decodeJSON[commitJSON](payload, MaxMessage)
	if err == nil && (topic.Kind != KindCommit || j.Stream != topic.Stream) {
		err = invalid("commit of stream %q on topic %s", j.Stream, topic)
	}
	if err != nil {
		return Commit{}, err
	}
	return j.commit(), nil
}
