/** Dark or light: as the system says, or as the reader has chosen. */
import { useEffect, useState } from 'preact/hooks';

const KEY = 'ulvs-theme';

/** A file that is opened from a disk may have no storage. */
function stored(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

function isDark(theme: string): boolean {
  return theme === '' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
}

export function ThemeButton() {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    dispatchEvent(new Event('themechange'));
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // It then lasts as long as the page.
    }
  }, [theme]);
  return (
    <button type="button" onClick={() => setTheme(isDark(theme) ? 'light' : 'dark')}>
      {isDark(theme) ? 'Light' : 'Dark'}
    </button>
  );
}
