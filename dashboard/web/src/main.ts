import '@fontsource/noto-sans-bengali/bengali-400.css'
import '@fontsource/noto-sans-bengali/bengali-700.css'
import '@fontsource/noto-sans-bengali/latin-400.css'
import '@fontsource/noto-sans-bengali/latin-700.css'
import './look.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { speech } from './lib/speech.svelte'

document.documentElement.lang = speech.language
mount(App, { target: document.getElementById('app')! })
