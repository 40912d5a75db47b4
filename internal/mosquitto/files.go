package mosquitto

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"nirapod/safety"
	"nirapod/wire"
)

// The files that Write keeps.
const (
	aclFile      = "acl"
	gatewaysFile = "gateways.passwd"
	serverFile   = "server.passwd"
)

// mode of the files: Mosquitto's user reads them through the group.
const mode = 0o640

// Write makes the files in dir say who may come in, and reports whether they
// said anything else before. Each file is replaced as a whole and durably, and
// belongs to the directory's group. One writer works at a time, also among
// processes, and users is called when it is this one's turn, so that the last
// files are those of the newest answer.
func Write(dir string, users func() (Users, error)) (changed bool, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return false, fmt.Errorf("directory of Mosquitto's files: %w", err)
	}
	defer d.Close() // unlocks
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != nil {
		return false, fmt.Errorf("lock %s: %w", dir, err)
	}
	owner, err := d.Stat()
	if err != nil {
		return false, err
	}
	u, err := users()
	if err != nil {
		return false, err
	}
	texts, err := u.files(dir)
	if err != nil {
		return false, err
	}
	// Rights first: whoever is let in before they are there may do nothing.
	for _, name := range []string{aclFile, gatewaysFile, serverFile} {
		path := filepath.Join(dir, name)
		if old, err := os.ReadFile(path); err == nil && string(old) == texts[name] {
			continue
		}
		if err := replace(path, texts[name], owner); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, d.Sync()
}

// files returns the text of each file. The server's line stays as it is in dir
// while its password does: a new salt would be a change.
func (u Users) files(dir string) (map[string]string, error) {
	old, err := os.ReadFile(filepath.Join(dir, serverFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	kept := strings.TrimPrefix(strings.TrimSpace(string(old)), wire.ServerUser+":")
	texts := map[string]string{
		serverFile: line(wire.ServerUser, rehash(kept, u.Secret)),
		aclFile:    ACL(wire.ServerUser, wire.ServerACL()),
	}
	for _, g := range u.Gateways {
		if !wire.ValidID(g.Factory) || !wire.ValidID(g.ID) {
			return nil, fmt.Errorf("gateway %q of %q: no id, and would change what the access file means: %w", g.ID, g.Factory, safety.ErrInvalid)
		}
		user := wire.GatewayUser(g.Factory, g.ID)
		texts[gatewaysFile] += line(user, g.Hash)
		texts[aclFile] += "\n" + ACL(user, wire.GatewayACL(g.Factory, g.ID))
	}
	return texts, nil
}

// replace writes a file aside, makes it durable and renames it over path. The
// caller holds the lock.
func replace(path, text string, dir fs.FileInfo) error {
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(aside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, give(f, dir), f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(aside, path)
	}
	return err
}

// give makes f its directory's: the group, and as root the owner too.
func give(f *os.File, dir fs.FileInfo) error {
	of, ok := dir.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	owner := -1
	if os.Geteuid() == 0 {
		owner = int(of.Uid)
	}
	if err := f.Chown(owner, int(of.Gid)); err != nil {
		return fmt.Errorf("%w: make this user a member of group %d, which the directory belongs to", err, of.Gid)
	}
	return nil
}
