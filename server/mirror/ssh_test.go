package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sshd starts OpenSSH's server on 127.0.0.1 for git's commands alone, with a
// host key and an authorised key of its own, and returns its port. Where it
// cannot run, the test says why.
func sshd(t *testing.T, dir string) string {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
		if _, err := os.Stat(program); err != nil {
			t.Skip("there is no sshd: install openssh-server")
		}
	}
	for _, name := range []string{"host", "other", "client", "stranger"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	config := fmt.Sprintf(`ListenAddress 127.0.0.1
Port %s
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/client.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
ForceCommand git-shell -c "$SSH_ORIGINAL_COMMAND"
`, port, dir)
	file := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, "-D", "-e", "-f", file)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Skipf("sshd cannot run here: %v", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = c.Close()
			return port
		}
		select {
		case <-ended:
			t.Skipf("sshd cannot run here: %s", strings.TrimSpace(said.String()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestSSH fetches from a real sshd: with the key and the host key that the
// operator named, and with no other.
func TestSSH(t *testing.T) {
	dir := t.TempDir()
	port := sshd(t, dir)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	repository := filepath.Join(dir, "hub", "team", "app.git")
	h := &hub{t: t, root: filepath.Join(dir, "hub")}
	if err := os.MkdirAll(h.root, 0o700); err != nil {
		t.Fatal(err)
	}
	ids := h.repository(4, 1<<10)
	known := func(name, key string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, key+".pub"))
		file := filepath.Join(dir, name)
		if err := errors.Join(err, os.WriteFile(file, fmt.Appendf(nil, "[127.0.0.1]:%s %s", port, text), 0o600)); err != nil {
			t.Fatal(err)
		}
		return file
	}
	url := fmt.Sprintf("ssh://%s@127.0.0.1:%s%s", me.Username, port, repository)
	fetch := func(login Login) error {
		t.Helper()
		r, err := New(Options{Dir: t.TempDir()}).Open(t.Context(), "hub", "team/app", url, login)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Unlock()
		// A look first: a partial clone goes over ssh, too.
		l, err := r.Look(t.Context(), ids[2], ids[3])
		if err != nil {
			return err
		}
		if l == nil {
			t.Error("no look over ssh")
		} else if err := l.Close(); err != nil {
			t.Error(err)
		}
		tips, here, err := r.Fetch(t.Context(), ids[3], "")
		if err == nil && (len(tips) != 1 || !here) {
			t.Errorf("fetched %v, %v", tips, here)
		}
		return err
	}
	good := Login{Key: filepath.Join(dir, "client"), KnownHosts: known("known", "host")}
	if err := fetch(good); err != nil {
		t.Fatal(err)
	}
	spaces := filepath.Join(dir, "a key's \"name\", 100% odd")
	if err := errors.Join(os.Rename(good.KnownHosts, spaces), os.Rename(good.Key, spaces+"!")); err != nil {
		t.Fatal(err)
	}
	good.Key = spaces + "!"
	if err := fetch(Login{Key: good.Key, KnownHosts: spaces}); err != nil {
		t.Errorf("files with odd names: %v", err)
	}
	for what, c := range map[string]struct {
		login Login
		says  string
	}{
		"another host key":    {Login{Key: good.Key, KnownHosts: known("changed", "other")}, "Host key verification failed"},
		"an unknown host":     {Login{Key: good.Key, KnownHosts: filepath.Join(dir, "empty")}, "Host key verification failed"},
		"a key nobody allows": {Login{Key: filepath.Join(dir, "stranger"), KnownHosts: known("known", "host")}, "Permission denied"},
	} {
		if err := fetch(c.login); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
