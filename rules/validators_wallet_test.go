package rules

import "testing"

func TestBase58Check(t *testing.T) {
	// The address of Bitcoin's first block, which is public: nobody spends by it.
	const address = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
	for text, want := range map[string]bool{
		address: true, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb": false, address[1:]: false, "1" + address: false,
		"": false, "1": false, "1111": false, "0OIl": false, address + "\x00": false,
	} {
		if ok, _ := judge(validateBase58Check, text); ok != want {
			t.Errorf("%q: accepted %v, want %v", text, ok, want)
		}
	}
}

func TestNotKnownKey(t *testing.T) {
	for text, want := range map[string]bool{
		"0xac0974bec39a17e36ba4a6b4d238ff944bacb478": true, "AC0974BEC39A17E36BA4A6B4D238FF944BACB478": true,
		"0xac0974bec39a17e46ba4a6b4d238ff944bacb478": false, "x": false, "": false,
	} {
		ok, m := judge(validateNotKnownKey, text)
		if !ok || (m.Placeholder != "") != want {
			t.Errorf("%q: accepted %v, placeholder %q; want a placeholder: %v", text, ok, m.Placeholder, want)
		}
	}
}

func TestNotKeyOfDotenvx(t *testing.T) {
	const key = "PRIVATE_KEY_CI=9a1b5c"
	for before, want := range map[string]bool{"": true, "x=1 ": true, "OTENV_": true, "DOTENV_": false, "export dotenv_": false} {
		m := Match{Start: len(before), End: len(before) + len(key), SecretStart: len(before) + len(key) - 6, SecretEnd: len(before) + len(key)}
		if ok := validateNotKnownKey([]byte(before+key), &m); ok != want {
			t.Errorf("after %q: accepted %v, want %v", before, ok, want)
		}
	}
}

func TestMixedCase(t *testing.T) {
	for text, want := range map[string]bool{"aB": true, "ab1": false, "AB1": false, "12": false, "": false, "1a2B": true} {
		if ok, _ := judge(validateMixedCase, text); ok != want {
			t.Errorf("%q: accepted %v, want %v", text, ok, want)
		}
	}
}
