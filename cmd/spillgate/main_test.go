package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spillgate/spillgate/hooks"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spillgate": main})
}

// TestScript runs the scripts of testdata/script. They are the promises of
// the command line: every one starts the program, with the real git around it
// where git matters.
//
// No script holds a secret. Setup exports made-up ones as variables, put
// together from halves, so that no push protection mistakes this repository
// for a leak; `plant` writes them into files.
func TestScript(t *testing.T) {
	p := params()
	p.Dir = "testdata/script"
	testscript.Run(t, p)
}

// params returns what all scripts have in common.
func params() testscript.Params {
	return testscript.Params{
		Setup:              setup,
		RequireUniqueNames: true,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Getuid() == 0, nil
			case "configured-hooks":
				return newGit() != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"atmost":    cmdAtMost,
			"code":      cmdCode,
			"damage":    cmdDamage,
			"empty":     cmdEmpty,
			"fill":      cmdFill,
			"git":       cmdGit,
			"hook":      cmdHook,
			"interrupt": cmdInterrupt,
			"let":       cmdLet,
			"nosecret":  cmdNoSecret,
			"plant":     cmdPlant,
			"says":      cmdSays,
		},
	}
}

// pathWithoutCompanion leaves out of a search path what has a spillgate-live of the
// machine: scripts bring their own, or want to see what happens without.
func pathWithoutCompanion(path string) string {
	return strings.Join(slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "spillgate-live"))
		return err == nil
	}), string(filepath.ListSeparator))
}

// setup makes a script independent of the machine: an own home, no system
// configuration of git, and an identity and a clock that do not change.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	config := "[init]\n\tdefaultBranch = main\n" +
		"[user]\n\tname = Tester\n\temail = tester@example.org\n" +
		"[protocol \"file\"]\n\tallow = always\n" +
		"[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n" +
		"[advice]\n\tdetachedHead = false\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o644); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	if runtime.GOOS == "windows" {
		env.Setenv("USERPROFILE", home)
	}
	for _, kv := range [][2]string{
		{"GIT_CONFIG_NOSYSTEM", "1"},
		{"GIT_TERMINAL_PROMPT", "0"},
		{"GIT_MERGE_AUTOEDIT", "no"},
		{"GIT_EDITOR", "true"},
		{"GIT_AUTHOR_DATE", "2024-05-06T07:08:09Z"},
		{"GIT_COMMITTER_DATE", "2024-05-06T07:08:09Z"},
		{"GIT_CEILING_DIRECTORIES", filepath.Dir(env.WorkDir)},
		{"LC_ALL", "C"},
		{"TERM", "dumb"},
	} {
		env.Setenv(kv[0], kv[1])
	}
	env.Setenv("PATH", pathWithoutCompanion(env.Getenv("PATH")))
	for _, s := range samples() {
		env.Setenv(s.name, s.text)
	}
	if git := newGit(); git != "" {
		env.Setenv("NEWGIT", filepath.Dir(git))
	}
	env.Setenv("FRAMEWORK", "pre-commit")
	env.Setenv("PUSH", "push") // the name of the stage before pre-commit 3.2
	manifest, err := filepath.Abs(filepath.Join(moduleRoot, ".pre-commit-hooks.yaml"))
	env.Setenv("MANIFEST", manifest)
	return err
}

// newGit returns the path of a git that runs hooks of its configuration: the
// one that SPILLGATE_TEST_GIT names, or the one on PATH; "" if there is none.
var newGit = sync.OnceValue(func() string {
	for _, name := range []string{os.Getenv("SPILLGATE_TEST_GIT"), "git"} {
		git, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if s, err := hooks.Open(context.Background(), hooks.Options{Git: git, Global: true}); err == nil && s.Configured {
			return git
		}
	}
	return ""
})

// A sample is a made-up value in an environment variable of the scripts.
type sample struct {
	name, text string
	secret     bool // must never be printed; the others are identifiers
}

// samples returns the made-up values. None was ever issued to anybody.
func samples() []sample {
	const account = "739104" + "826315"
	return []sample{
		{"ACCOUNT", account, false},
		{"KMSARN", "arn:aws:kms:eu-west-1:" + account + ":key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835", false},
		{"KMSARN2", "arn:aws:kms:us-east-2:" + account + ":key/" + "c47d10b2-93ea-4f58-8a6c-e51b07d9f364", false},
		{"ALIASARN", "arn:aws:kms:eu-west-1:" + account + ":alias/" + "payroll-master", false},
		{"MANAGEDARN", "arn:aws:kms:eu-west-1:" + account + ":alias/" + "aws/s3", false},
		{"DOCARN", "arn:aws:kms:us-west-2:" + "111122223333" + ":key/" + "1234abcd-12ab-34cd-56ef-1234567890ab", false},
		{"KEYID", "AKIA" + "Y3FDNQ4RZ7KWTB2M", true},
		// Of the account that KEYID tells.
		{"KEYARN", "arn:aws:kms:eu-west-1:" + "608080594723" + ":key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835", false},
		{"AWSSECRET", "qT7vKp2LxW9z" + "RbN4mYc8HdJf3sGaE6uVoZi1XtQr", true},
		{"GHP", githubToken("ghp" + "_"), true},
		{"PEMHEAD", "-----BEGIN " + "PRIVATE KEY-----", false},
		{"PEMBODY", pemBody(), true},
		{"PEMTAIL", "-----END " + "PRIVATE KEY-----", false},
	}
}

// githubToken returns prefix, 30 characters and their CRC32 in six base62
// digits, the shape that GitHub describes in "Behind GitHub's new
// authentication token formats".
func githubToken(prefix string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	random := "k3VtQ9xLm2ZpR7wYc5NbJ8" + "sHd4GfTu"
	sum := crc32.ChecksumIEEE([]byte(random))
	var check [6]byte
	for i := len(check) - 1; i >= 0; i-- {
		check[i] = digits[sum%62]
		sum /= 62
	}
	return prefix + random + string(check[:])
}

// pemBody returns the base64 of an Ed25519 key in PKCS #8 (RFC 8410, section
// 7), made of a fixed seed.
func pemBody() string {
	der := []byte{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20}
	x := uint32(2463534242)
	for range 32 {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		der = append(der, byte(x>>8))
	}
	return base64.StdEncoding.EncodeToString(der)
}

// leaked returns the names of the sample secrets that text holds, whole or
// their second half.
func leaked(text string) []string {
	var names []string
	for _, s := range samples() {
		if s.secret && (strings.Contains(text, s.text) || strings.Contains(text, s.text[len(s.text)/2:])) {
			names = append(names, "$"+s.name)
		}
	}
	return names
}
