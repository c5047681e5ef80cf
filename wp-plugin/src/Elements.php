<?php
/**
 * The players, publishers and rooms of a post.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Reads the HTML of the post's page. This finds shortcodes, blocks, synced patterns and addresses on their own lines, and
 * no elements that another plugin removes.
 */
final class Elements {
	/** Maximum number of elements of a post that are read. */
	private const MOST = 20;

	/** Players and publishers. @var array<int, array{who: string, url: string, stream: string}> */
	public $all = array();

	/** Rooms of the page: shown rooms, rooms with a chat, and lists of rooms. @var array<int, array{room: string, server: string}> */
	public $rooms = array();

	/** Errors of other elements, as shown to authors. @var string[] */
	public $notes = array();

	/**
	 * Returns the elements of a post.
	 *
	 * @param \WP_Post $post whose content is rendered.
	 */
	public static function of( \WP_Post $post ): self {
		$before          = $GLOBALS['post'] ?? null;
		$GLOBALS['post'] = $post;
		setup_postdata( $post );
		$html = (string) apply_filters( 'the_content', $post->post_content );
		// phpcs:ignore WordPress.WP.GlobalVariablesOverride -- put back.
		$GLOBALS['post'] = $before;
		if ( $before instanceof \WP_Post ) {
			setup_postdata( $before );
		}
		return self::in( $html );
	}

	/**
	 * Returns the elements in the HTML of a page.
	 *
	 * @param string $html with elements as the renderer makes them.
	 */
	private static function in( string $html ): self {
		$found = new self();
		preg_match_all( '~<srs-(player|publisher)\b([^>]*)>~', $html, $tags, PREG_SET_ORDER );
		foreach ( array_slice( $tags, 0, self::MOST ) as $tag ) {
			$url          = self::attribute( $tag[2], 'url' );
			$found->all[] = array(
				'who'    => $tag[1],
				'url'    => $url,
				'stream' => self::stream( $url, self::attribute( $tag[2], 'data-ticket' ) ),
			);
		}
		preg_match_all( '~<srs-(?:audience|chat|room-list)\b([^>]*)>~', $html, $tags, PREG_SET_ORDER );
		foreach ( array_slice( $tags, 0, self::MOST ) as $tag ) {
			$found->rooms[] = array(
				'room'   => self::attribute( $tag[1], 'room' ),
				'server' => self::attribute( $tag[1], 'server' ),
			);
		}
		preg_match_all( '~<p class="lianmai-note">(.*?)</p>~s', $html, $notes );
		$found->notes = array_slice( array_unique( array_map( array( self::class, 'text' ), $notes[1] ) ), 0, self::MOST );
		return $found;
	}

	/** Returns whether there is no element and no error. */
	public function is_empty(): bool {
		return array() === $this->all && array() === $this->rooms && array() === $this->notes;
	}

	/** Returns whether an element is on the server of the settings. */
	public function are_here(): bool {
		return array() !== $this->streams() || in_array( Settings::server(), array_column( $this->rooms, 'server' ), true );
	}

	/** Returns whether the post has a publisher or a room. */
	public function publish(): bool {
		return in_array( 'publisher', array_column( $this->all, 'who' ), true ) || array() !== $this->rooms();
	}

	/** Returns the names of the rooms on the server of the settings. @return string[] */
	public function rooms(): array {
		$here = array_filter(
			$this->rooms,
			static function ( array $one ): bool {
				return Settings::server() === $one['server'];
			}
		);
		return array_values( array_unique( array_filter( array_column( $here, 'room' ) ) ) );
	}

	/** Returns the names of the streams on the server of the settings. @return string[] */
	public function streams(): array {
		return array_values( array_unique( array_filter( array_column( $this->all, 'stream' ) ) ) );
	}

	/** Returns the addresses on other servers. @return string[] */
	public function elsewhere(): array {
		$others = array_filter(
			$this->all,
			static function ( array $one ): bool {
				return '' === $one['stream'];
			}
		);
		$servers = array_diff( array_column( $this->rooms, 'server' ), array( Settings::server() ) );
		return array_values( array_unique( array_merge( array_column( $others, 'url' ), $servers ) ) );
	}

	/**
	 * Returns the stream of an element. If the address is that of the relay, the ticket has the stream.
	 *
	 * @param string $url    of the element.
	 * @param string $ticket of the element.
	 */
	private static function stream( string $url, string $ticket ): string {
		$bound = '' === $ticket ? null : Ticket::read( $ticket );
		return null !== $bound && '' !== $bound['stream'] ? $bound['stream'] : Settings::stream_of( $url );
	}

	private static function attribute( string $tag, string $name ): string {
		return preg_match( '~ ' . $name . '="([^"]*)"~', $tag, $is ) ? self::text( $is[1] ) : '';
	}

	/** Converts HTML to text. @param string $html without anything but text and inline tags. */
	public static function text( string $html ): string {
		return trim( html_entity_decode( wp_strip_all_tags( $html ), ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
	}
}
