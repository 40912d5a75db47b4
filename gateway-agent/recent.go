package agent

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"nirapod/safety"
)

const (
	recentPrefix = "recent-"
	// recentLeast is kept at least: far more than passes between two states kept.
	recentLeast = time.Minute
	// recentParts is in how many files a window's length is kept.
	recentParts = 4
	// maxFrame bounds what is believed of a length on disk.
	maxFrame = 64 << 20
)

// recent keeps what the rules have observed for as long as their longest
// window, so that a restart empties none. It is written without sync: it
// survives kill -9, and after a loss of power the windows miss their last seconds.
//
// A file is a row of frames: length, CRC-32, readings with the time of the
// rules. What follows a torn frame of a file is not believed.
type recent struct {
	dir   string
	part  time.Duration // a file covers at least so much
	file  *os.File
	begun time.Time // of file
	last  time.Time // newest reading written
}

func newRecent(dir string, window time.Duration) *recent {
	return &recent{dir: dir, part: max(window, recentLeast) / recentParts}
}

// add appends readings, in the order in which the rules saw them.
func (r *recent) add(readings []safety.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	first := readings[0].At
	if r.file == nil || first.Sub(r.begun) >= r.part {
		if err := r.begin(first); err != nil {
			return err
		}
	}
	for _, x := range readings {
		if x.At.After(r.last) {
			r.last = x.At
		}
	}
	if _, err := r.file.Write(frame(readings)); err != nil {
		return errors.Join(err, r.close()) // the frame may be torn: go on in a new file
	}
	return nil
}

// begin starts a file and lets go of those that no window reaches any more.
func (r *recent) begin(first time.Time) error {
	if err := r.close(); err != nil {
		return err
	}
	names, err := r.names()
	if err != nil {
		return err
	}
	number := first.UnixMilli() // files are named by when they begin
	if len(names) > 0 {
		number = max(number, numberOf(names[len(names)-1])+1)
	}
	r.file, err = os.OpenFile(r.path(number), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	r.begun = first
	oldest := first.Add(-recentParts * r.part).UnixMilli()
	for len(names) > 1 && numberOf(names[1]) <= oldest && err == nil {
		err = os.Remove(filepath.Join(r.dir, names[0]))
		names = names[1:]
	}
	return err
}

func (r *recent) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

func (r *recent) path(number int64) string {
	return filepath.Join(r.dir, fmt.Sprintf("%s%016x", recentPrefix, number))
}

func numberOf(name string) (n int64) {
	_, _ = fmt.Sscanf(name, recentPrefix+"%x", &n) // 0 for a name that is none
	return n
}

// names returns the files, oldest first.
func (r *recent) names() ([]string, error) {
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if numberOf(e.Name()) > 0 {
			out = append(out, e.Name())
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(numberOf(a), numberOf(b)) })
	return out, err
}

// load returns what was kept, in order.
func (r *recent) load() (out []safety.Reading, err error) {
	names, err := r.names()
	for _, name := range names {
		data, wrong := os.ReadFile(filepath.Join(r.dir, name))
		err = errors.Join(err, wrong)
		for len(data) > 0 {
			var some []safety.Reading
			if some, data = unframe(data); some == nil {
				break // torn: the end of a killed process
			}
			out = append(out, some...)
		}
	}
	return out, err
}

const frameHead = 8

func frame(readings []safety.Reading) []byte {
	b := make([]byte, frameHead, frameHead+32*len(readings))
	for _, r := range readings {
		b = append(b, byte(r.Quality), byte(r.Flags), byte(slices.Index(safety.Reasons[:], r.Reason)+1), byte(len(r.Sensor)))
		b = append(b, r.Sensor...)
		b = binary.LittleEndian.AppendUint64(b, uint64(r.At.UnixMilli()))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Value))
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-frameHead))
	binary.LittleEndian.PutUint32(b[4:], crc32.ChecksumIEEE(b[frameHead:]))
	return b
}

// unframe returns the readings of the first frame, nil if it is not whole, and
// what follows it.
func unframe(b []byte) (out []safety.Reading, rest []byte) {
	if len(b) < frameHead {
		return nil, nil
	}
	n := binary.LittleEndian.Uint32(b)
	if n > maxFrame || int(n) > len(b)-frameHead {
		return nil, nil
	}
	body, rest := b[frameHead:frameHead+n], b[frameHead+n:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, nil
	}
	for len(body) > 0 {
		name := 4 + int(body[3])
		r := safety.Reading{Quality: safety.Quality(body[0]), Flags: safety.Flags(body[1]), Sensor: string(body[4:name])}
		if body[2] > 0 {
			r.Reason = safety.Reasons[body[2]-1]
		}
		r.At = time.UnixMilli(int64(binary.LittleEndian.Uint64(body[name:]))).UTC()
		r.Value = math.Float64frombits(binary.LittleEndian.Uint64(body[name+8:]))
		out, body = append(out, r), body[name+16:]
	}
	return out, rest
}
